"""Training in memory: batches, progress, and losses that are not finite."""

import numpy as np
import pytest
import torch
from torch import nn

from imrep.base import Supervised
from imrep.base.descent import _batches, train
from imrep.codes import Vector
from imrep.errors import BadData
from imrep.registry.cards import Card


class Line(Supervised[Vector]):
    """A weight that a line's slope is fitted by."""

    card = Card(title="Line", family="test", cite="")
    name = "line"

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.epochs = 0

    def encode(self, image):
        return Vector(image.flatten(1) * self.weight)

    def loss(self, batch):
        return (
            (batch["image"].flatten(1) * self.weight - 3 * batch["image"].flatten(1)).pow(2).mean()
        )

    def begin_epoch(self, epoch):
        self.epochs = epoch + 1

    def strength(self, epoch):
        return 0.0

    def fit_rows(self, read, labels, seed=0, progress=None):
        train(self, read, labels, **options(seed=seed, progress=progress))

    @property
    def budget(self):
        return "150 epochs"


def options(**more):
    return {"epochs": 150, "rate": 0.1, "seed": 0, "progress": None} | more


@pytest.mark.parametrize("count", [2, 5, 16, 17, 63, 500, 1000])
def test_batches_hold_every_row_once(count):
    batches = list(_batches(count, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches)) == list(range(count))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1 and max(sizes) <= 128 and min(sizes) >= 2


def test_the_loss_is_descended_and_epochs_are_counted():
    rep, calls = Line(), []
    images = torch.rand(40, 3, 2, 2)
    train(rep, lambda rows: images[rows], torch.zeros(40).long(),
          **options(progress=lambda *step: calls.append(step)))  # fmt: skip
    assert abs(rep.weight.item() - 3) < 0.01
    assert rep.epochs == 150 and not rep.training
    assert calls[0] == ("training line", 1, 150) and calls[-1] == ("training line", 150, 150)


def test_it_trains_where_gradients_are_switched_off():
    rep = Line()
    images = torch.rand(8, 3, 2, 2)
    with torch.no_grad():
        train(rep, lambda rows: images[rows], torch.zeros(8).long(), **options(epochs=2))
    assert rep.weight.item() > 0


def test_a_loss_that_is_not_finite_stops_it():
    rep = Line()
    with pytest.raises(BadData, match=r"line has a loss of nan in epoch 1\. Use a factor"):
        train(rep, lambda rows: torch.full((len(rows), 3, 2, 2), torch.nan),
              torch.zeros(4).long(), **options())  # fmt: skip
    assert rep.weight.item() == 0
