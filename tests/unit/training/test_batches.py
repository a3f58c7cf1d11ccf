"""Processes, parts and workers share a step without changing it."""

import numpy as np
import pytest
import torch
from tiny_denoiser import Tiny

from imrep.training.batches import Loading, Share, Steps, loader, parts_of
from imrep.training.order import Order, held_out


@pytest.fixture
def loading(prepared):
    return prepared().loading


def steps(loading, share=None, batch=8, first=0, last=3):
    order = Order(np.arange(40), batch, 0)
    return Steps(loading, order, share or Share(), first, last)


def test_a_batch_has_what_a_loss_reads(loading):
    (batch,) = steps(loading, last=1)
    assert batch["image"].shape == (8, 3, 16, 16) and batch["image"].dtype == torch.float32
    assert batch["image"].min() >= 0 and batch["image"].max() <= 1
    assert batch["label"].tolist() == [row % 2 for row in batch["row"].tolist()]
    assert batch["seed"].dtype == torch.int64


@pytest.mark.parametrize(("accumulate", "world"), [(1, 2), (2, 1), (2, 2), (4, 1)])
def test_parts_of_all_processes_are_the_step(loading, accumulate, world):
    whole = list(steps(loading))
    shares = [Share(accumulate, rank, world) for rank in range(world)]
    parts = [list(steps(loading, share)) for share in shares]
    for number, batch in enumerate(whole):
        mine = [
            parts[rank][number * accumulate + part]
            for part in range(accumulate)
            for rank in range(world)
        ]
        for name, value in batch.items():
            assert torch.equal(value, torch.cat([part[name] for part in mine]))


def test_a_resumed_run_sees_what_follows(loading):
    whole, rest = list(steps(loading)), list(steps(loading, first=1))
    assert len(whole) == 3 and len(rest) == 2
    assert torch.equal(whole[1]["image"], rest[0]["image"])


@pytest.mark.slow
def test_workers_change_nothing(loading):
    alone = list(loader(steps(loading), 0, pinned=False))
    shared = list(loader(steps(loading), 2, pinned=False))
    assert len(alone) == len(shared) == 3
    for one, other in zip(alone, shared, strict=True):
        assert torch.equal(one["image"], other["image"]) and torch.equal(one["row"], other["row"])


def test_a_curriculum_strengthens_the_augmentation(prepared):
    base = prepared().loading
    curriculum = Loading(base.data, base.examples, ("jitter",), 16, lambda e: float(e > 0))
    order = Order(np.arange(40), 40, 0)
    first, second = (curriculum.random(order.draw(step)) for step in range(2))
    plain = curriculum.plain(order.draw(0))
    assert torch.equal(first["image"], plain["image"])
    assert not torch.equal(second["image"], curriculum.plain(order.draw(1))["image"])


def test_parts_of_held_out_images():
    draw = held_out(np.arange(7), 0)
    sizes = [len(part.rows) for part in parts_of(draw, 3)]
    assert sizes == [3, 3, 1]
    assert (
        np.concatenate([part.seeds for part in parts_of(draw, 3)]).tolist() == draw.seeds.tolist()
    )


def test_weights_without_a_gradient_are_noticed(prepared):
    pytest.importorskip("lightning", reason="needs the extra train: pip install 'imrep[train]'")
    rep = Tiny()
    assert prepared(rep).module().uses_all_weights()
    rep.register_parameter("idle", torch.nn.Parameter(torch.zeros(2)))
    assert not prepared(rep).module().uses_all_weights()
