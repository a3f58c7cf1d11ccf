"""Learning from images: batches, threads, and what a fit replaces."""

import pytest
import torch
from torch.testing import assert_close

import imrep
from imrep.base import Fitted
from imrep.codes import Vector
from imrep.errors import BadImage, NotFitted
from imrep.registry.cards import Card


class Mean(Fitted[Vector]):
    """Channel means less the mean of the images it was fitted to."""

    card = Card(title="Mean", family="tests", cite="")
    centre: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.full((3,), torch.nan))
        self.order: list[float] = []

    @property
    def fitted(self):
        return bool(self.centre.isfinite().all())

    def fit_codes(self, codes):
        values = torch.cat([code.values for code in codes])
        self.order = values[:, 0].tolist()
        self.requires_gradient = values.requires_grad
        self.centre = values.mean(0)

    def encode(self, image):
        return Vector(image.mean((2, 3)))

    def pool(self, code):
        self._need_fit()
        return code.values - self.centre


IMAGES = torch.rand(12, 3, 6, 5, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [1, 5, 12])
@pytest.mark.parametrize("threads", [1, 3])
def test_neither_batches_nor_threads_change_what_is_learnt(size, threads):
    torch.set_num_threads(threads)
    rep = Mean()
    rep.fit(IMAGES.split(size))
    assert_close(rep.centre, IMAGES.mean((0, 2, 3)))
    assert rep.order == IMAGES.mean((2, 3))[:, 0].tolist()  # codes come in the order of the images
    assert torch.get_num_threads() == threads


def test_images_of_different_sizes_and_channels_are_learnt_from():
    rep = Mean()
    rep.fit([IMAGES[:1], IMAGES[1:2, :, :3], IMAGES[2:3, :1]])
    expected = [
        IMAGES[0].mean((1, 2)),
        IMAGES[1, :, :3].mean((1, 2)),
        IMAGES[2, 0].mean().expand(3),
    ]
    assert_close(rep.centre, torch.stack(expected).mean(0))


def test_no_gradient_is_recorded():
    rep = Mean()
    rep.fit(IMAGES.clone().requires_grad_())
    assert not rep.requires_gradient


def test_a_second_fit_replaces_the_first():
    rep, other = Mean(), Mean()
    rep.fit(IMAGES[:3])
    rep.fit(IMAGES[3:])
    other.fit(IMAGES[3:])
    assert torch.equal(rep.centre, other.centre) and rep.fingerprint == other.fingerprint


def test_a_loaded_one_that_is_fitted_anew_is_no_longer_that_of_the_folder(tmp_path):
    rep = Mean()
    rep.fit(IMAGES[:3])
    loaded = imrep.load(rep.save(tmp_path / "rep"))
    assert loaded.spec == str(tmp_path / "rep") and torch.equal(loaded.centre, rep.centre)
    loaded.fit(IMAGES)
    assert loaded.spec == "test_fitted"


@pytest.mark.parametrize("images", [None, 3, IMAGES[0], [], iter(()), "images", [None]])
def test_what_is_no_batch_leaves_it_as_it_was(images):
    rep = Mean()
    with pytest.raises(BadImage, match=r"^test_fitted needs"):
        rep.fit(images)
    assert rep.needs_fit
    with pytest.raises(NotFitted, match=r"got none\. Call fit\(images\), or load a fitted one"):
        rep.embed(IMAGES)
