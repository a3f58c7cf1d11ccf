"""Faster R-CNN on frequencies: its pyramid, a box that it learns, and what it refuses."""

import pytest
import torch

import imrep
from imrep.errors import BadParameter
from imrep.represent.learned.dctnet.detection import FrequencyPyramid, faster_rcnn

SPEC = "dctnet:arch=test_resnet,weights=random"


@pytest.mark.parametrize("arch", ["test_resnet", "mobilenetv2_100"])
def test_a_pyramid_has_a_level_for_each_stage_and_one_more(arch):
    pyramid = FrequencyPyramid(imrep.get(f"dctnet:arch={arch},weights=random"), channels=16)
    levels = pyramid(torch.rand(2, 3, 128, 192))
    sizes = [tuple(values.shape[2:]) for values in levels.values()]
    assert len(levels) == pyramid.levels and {v.shape[:2] for v in levels.values()} == {(2, 16)}
    assert sizes[:4] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_normalisation_reads_the_batch_only_where_it_is_said():
    for batch_statistics in (False, True):
        rep = imrep.get(SPEC)
        pyramid = FrequencyPyramid(rep, channels=8, batch_statistics=batch_statistics).train()
        before = {key: value.clone() for key, value in rep.network.named_buffers()}
        pyramid(torch.rand(2, 3, 64, 64))
        changed = any(not torch.equal(before[k], v) for k, v in rep.network.named_buffers())
        assert changed == batch_statistics
        assert all(p.requires_grad for p in pyramid.parameters())


def scene(seed):
    """A bright square on noise, and its box."""
    dice = torch.Generator().manual_seed(seed)
    x, y = torch.randint(4, 60, (2,), generator=dice).tolist()
    image = 0.3 * torch.rand(3, 128, 128, generator=dice)
    image[:, y : y + 56, x : x + 56] += 0.6
    box = torch.tensor([[x, y, x + 56, y + 56]], dtype=torch.float32)
    return image, {"boxes": box, "labels": torch.ones(1, dtype=torch.long)}


@pytest.mark.slow
def test_a_square_is_detected_after_some_steps():
    torch.manual_seed(0)
    detector = faster_rcnn(imrep.get(SPEC), 2, side=128, channels=32, batch_statistics=True)
    optimiser = torch.optim.AdamW(detector.parameters(), 1e-3)
    detector.train()
    for step in range(60):
        images, targets = zip(*[scene(4 * step + i) for i in range(4)], strict=True)
        optimiser.zero_grad()
        sum(detector(list(images), list(targets)).values()).backward()
        optimiser.step()
    image, target = scene(10**6)
    result = detector.eval()([image])[0]
    best = result["boxes"][result["scores"].argmax()]
    assert result["scores"].max() > 0.5 and (best - target["boxes"][0]).abs().max() < 12


@pytest.mark.parametrize(("key", "value"), [("classes", 1), ("side", 4), ("max_side", 10)])
def test_bad_numbers_are_refused(key, value):
    with pytest.raises(BadParameter, match=f"dctnet's detector needs {key}"):
        faster_rcnn(imrep.get(SPEC), **{"classes": 2, "side": 64} | {key: value})
