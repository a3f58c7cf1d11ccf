"""Luma, YCbCr, L*a*b*: OpenCV's and scikit-image's numbers, and back."""

import colorsys

import cv2
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from imrep.ops import tiling
from imrep.ops.colour import (
    from_lab,
    from_ycbcr,
    lightness,
    luminance,
    to_lab,
    to_light,
    to_ycbcr,
    with_luminance,
)


def test_luminance_and_ycbcr_are_opencvs():
    image = torch.rand(1, 3, 5, 7)
    pixels = image[0].permute(1, 2, 0).numpy()
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    assert_close(luminance(image)[0, 0], torch.from_numpy(gray), atol=1e-5, rtol=0)
    y, cr, cb = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    wanted = torch.from_numpy(np.stack([y, cb - 0.5, cr - 0.5]))
    assert_close(to_ycbcr(image)[0], wanted, atol=1e-3, rtol=0)  # theirs has rounded constants


def test_ycbcr_and_back():
    image = torch.rand(2, 3, 5, 7)
    assert_close(from_ycbcr(to_ycbcr(image)), image, atol=1e-6, rtol=0)


def test_gray_has_no_colour():
    gray = torch.rand(2, 1, 5, 7)
    assert luminance(gray) is gray
    y, cb, cr = to_ycbcr(gray).split(1, dim=1)
    assert_close(y, gray)
    assert not cb.any() and not cr.any()
    three = to_ycbcr(gray.expand(-1, 3, -1, -1))
    assert_close(three, to_ycbcr(gray), atol=1e-6, rtol=0)


def corners(dtype=torch.float64):
    """The cube of colours on a lattice that includes its corners, (1, 3, 36, 6)."""
    axis = torch.linspace(0, 1, 6, dtype=dtype)
    return torch.cartesian_prod(axis, axis, axis).T.reshape(1, 3, 36, 6)


def test_lab_is_scikit_images_on_the_complete_cube():
    from skimage.color import rgb2lab

    rgb = corners()
    wanted = torch.from_numpy(rgb2lab(rgb[0].permute(1, 2, 0).numpy())).permute(2, 0, 1)
    lab = to_lab(rgb)[0] * torch.tensor([100.0, 220, 220]).view(3, 1, 1)
    assert_close(lab, wanted, rtol=0, atol=0.02)
    assert lab[1:].abs().max() < 110


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 2e-5), (torch.float64, 1e-7)])
def test_lab_and_back(dtype, within):
    assert_close(from_lab(to_lab(corners(dtype))), corners(dtype), rtol=0, atol=within)


def test_colours_outside_the_cube_are_clipped():
    far = torch.tensor([0.5, 0.5, -0.5]).view(1, 3, 1, 1)  # L* 50, a* 110, b* -110
    rgb = from_lab(far)
    assert rgb.min() == 0 and rgb.max() <= 1


def test_lightness_is_that_of_lab_and_gray_has_its_own():
    rgb, gray = corners(), torch.linspace(0, 1, 50, dtype=torch.float64).view(1, 1, 5, 10)
    assert_close(lightness(rgb), to_lab(rgb)[:, :1])
    assert_close(lightness(gray), to_lab(gray.expand(-1, 3, -1, -1))[:, :1], rtol=0, atol=1e-6)
    assert lightness(gray).flatten().diff().min() > 0
    assert lightness(gray)[0, 0, 0, 0] == pytest.approx(0, abs=1e-12)


def test_light_is_the_standards_formula():
    srgb = torch.tensor([-0.5, 0, 0.04, 0.04045, 0.0405, 0.5, 1, 2], dtype=torch.float64)
    wanted = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in
              srgb.clamp(0, 1).tolist()]  # fmt: skip
    np.testing.assert_allclose(to_light(srgb), wanted, rtol=0, atol=1e-12)


def test_another_luma_is_reached_and_hue_is_preserved():
    image, luma = torch.rand(2, 3, 8, 9).double(), torch.rand(2, 1, 8, 9).double()
    out = with_luminance(image, luma)
    assert out.min() >= 0 and out.max() <= 1
    assert_close(luminance(out), luma, rtol=0, atol=1e-12)
    for before, after in zip(image.movedim(1, 3).flatten(0, 2), out.movedim(1, 3).flatten(0, 2),
                             strict=True):  # fmt: skip
        hues = [colorsys.rgb_to_hsv(*colour.tolist())[0] for colour in (before, after)]
        turn = abs(hues[0] - hues[1])
        assert min(turn, 1 - turn) < 1e-6
    old, new = to_ycbcr(image)[:, 1:].norm(dim=1), to_ycbcr(out)[:, 1:].norm(dim=1)
    assert (new <= old + 1e-12).all()


def test_its_own_luma_changes_nothing_and_strips_do_not_matter(monkeypatch):
    image = torch.rand(1, 3, 20, 15).double()
    assert_close(with_luminance(image, luminance(image)), image, rtol=0, atol=1e-12)
    luma = torch.rand(1, 1, 20, 15).double()
    wanted = with_luminance(image, luma)
    monkeypatch.setattr(tiling, "_STRIP", 100)
    assert torch.equal(with_luminance(image, luma), wanted)


def test_black_and_white_luma_leave_no_colour():
    image = torch.rand(1, 3, 4, 4)
    for luma in (0.0, 1.0, -3.0, 5.0):
        out = with_luminance(image, torch.full((1, 1, 4, 4), luma))
        assert_close(out, torch.full_like(image, min(max(luma, 0), 1)), rtol=0, atol=1e-6)
    gray = torch.rand(1, 1, 4, 4)
    assert torch.equal(with_luminance(gray, 2 * gray), (2 * gray).clamp(0, 1))
