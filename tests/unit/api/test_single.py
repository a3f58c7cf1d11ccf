"""One image or two: what every call passes on, and what it leaves as it was."""

import pytest
import torch

import imrep
from imrep.errors import BadImage, BadParameter, UnknownName, WeightsNeeded

IMAGE = torch.rand(1, 3, 64, 72, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("spec", ["pixels", "dct", "gradient", "pixels+histogram"])
def test_a_picture_of_a_batch_is_that_of_each_image(spec):
    batch = torch.cat([IMAGE, IMAGE.flip(3)])
    both = imrep.picture(batch, spec)
    torch.testing.assert_close(both[:1], imrep.picture(batch[:1], spec))
    torch.testing.assert_close(both[1:], imrep.picture(batch[1:], spec))
    assert both.min() >= 0 and both.max() <= 1 and not both.requires_grad


def test_no_gradient_is_recorded_though_the_image_asks_for_it():
    assert not imrep.picture(IMAGE.clone().requires_grad_(), "gradient").requires_grad


def test_the_seed_and_the_iterations_of_a_search_are_passed_on():
    def search(seed, iterations):
        return imrep.invert(IMAGE, "gradient", iterations=iterations, seed=seed).image

    assert torch.equal(search(1, 3), search(1, 3))
    assert not torch.equal(search(1, 3), search(2, 3))
    assert not torch.equal(search(1, 3), search(1, 4))


def test_ratio_and_within_are_passed_on():
    target = imrep.edit.blur(IMAGE, sigma=0.7)
    pairs = [imrep.match(IMAGE, target, "corner", ratio=ratio).pairs for ratio in (0.3, 0.95)]
    assert pairs[0] < pairs[1]
    for option in ({"ratio": 0}, {"within": -1}):
        with pytest.raises(BadParameter, match=f"match needs {next(iter(option))}"):
            imrep.match(IMAGE, target, "corner", **option)


def test_the_image_that_has_no_keypoints_is_named():
    flat = torch.full_like(IMAGE, 0.5)
    with pytest.raises(BadImage, match="none in the query"):
        imrep.match(flat, IMAGE, "corner")
    with pytest.raises(BadImage, match="none in the target"):
        imrep.match(IMAGE, flat, "corner")


@pytest.mark.parametrize("call", [
    lambda spec: imrep.picture(IMAGE, spec), lambda spec: imrep.invert(IMAGE, spec),
    lambda spec: imrep.match(IMAGE, IMAGE, spec), lambda spec: imrep.embed([IMAGE[0]], spec),
])  # fmt: skip
def test_a_name_or_weights_that_are_not_there_are_said_before_any_work(call, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UnknownName):
        call("hogg")
    with pytest.raises((WeightsNeeded, BadParameter), match="cnn"):
        call("cnn:arch=resnet18,weights=nowhere")
