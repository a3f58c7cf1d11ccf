import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torch.testing import assert_close

from imrep.edit.operations.equalise import equalise
from imrep.ops.colour import luminance, to_ycbcr


def gray(array, top=255):
    return torch.from_numpy(array.astype(np.float32) / top)[None, None]


@pytest.mark.parametrize("name", ["camera", "moon", "page", "text"])
def test_8_bit_images_come_out_as_opencvs(name):
    photo = getattr(data, name)()
    ours = (equalise(gray(photo))[0, 0] * 255).round().numpy()
    off = np.abs(ours - cv2.equalizeHist(photo))
    assert off.max() <= 1 and (off > 0).mean() < 2e-2  # its float32 rounds halves its own way


def test_distinct_values_become_their_ranks():
    x = torch.randperm(1000).view(1, 1, 20, 50) / 2000 + 0.3
    ranks = x.flatten().argsort().argsort().view(1, 1, 20, 50)
    assert_close(equalise(x), ranks / 999)


def test_any_ascending_curve_before_it_makes_no_difference():
    x = gray(data.camera())
    assert_close(equalise(0.2 + 0.6 * x**2), equalise(x))


def test_again_it_changes_nothing():
    once = equalise(gray(data.moon()))
    assert_close(equalise(once), once, rtol=0, atol=1e-4)


def test_steps_of_16_bits_stay_distinct():
    x = gray(np.arange(20000, 24096).reshape(64, 64), top=65535)
    assert len(equalise(x).unique()) == 4096


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_stays_as_it_is(value):
    x = torch.full((1, 3, 5, 4), value)
    assert_close(equalise(x), x)


def test_in_colour_luma_is_equalised_and_hue_preserved():
    x = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None, :, ::2, ::2].double() / 255
    out = equalise(x)
    assert_close(luminance(out), equalise(luminance(x)), rtol=0, atol=1e-6)
    before, after = to_ycbcr(x)[:, 1:], to_ycbcr(out)[:, 1:]
    across = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    assert across.abs().max() < 1e-6 and (before * after).sum(1).min() > -1e-12
    inside = (out > 1e-6).all(1) & (out < 1 - 1e-6).all(1)
    assert inside.double().mean() > 0.8
    assert_close(after[:, :, inside[0]], before[:, :, inside[0]], rtol=0, atol=1e-6)
