"""The noise level of white and of correlated noise, and of images without noise."""

import pytest
import torch
import torch.nn.functional as F

from imrep.edit.operations.denoise.noise_level import measure
from imrep.ops.fourier.dct import basis

AXES = {1: basis(1, torch.zeros(0)), 3: basis(3, torch.zeros(0))}


def ramp(channels, height=160, width=200):
    return torch.linspace(0.3, 0.7, width).expand(channels, height, width).clone()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("noise", [0.005, 0.02, 0.1])
def test_white_noise_is_measured_on_every_axis(channels, noise):
    image = ramp(channels) + noise * torch.randn(channels, 160, 200)
    axes, channel = measure(image, AXES[channels])
    assert axes == [pytest.approx(noise, rel=0.15)] * channels
    assert channel == pytest.approx(noise, rel=0.15)


def test_smoothed_noise_is_measured_at_middle_frequencies():
    """A blur removes the highest frequencies, from which white noise is measured."""
    noise = F.avg_pool2d(0.08 * torch.randn(1, 1, 161, 201), 2, 1)[0]
    _, level = measure(ramp(1) + noise, AXES[1])
    assert 0.03 < level < 0.08


def test_a_gray_scan_has_its_noise_on_the_gray_axis():
    """Equal noise in all channels is √3 as large along the gray axis."""
    image = ramp(3) + 0.05 * torch.randn(1, 160, 200) + 1e-4 * torch.randn(3, 160, 200)
    axes, channel = measure(image, AXES[3])
    assert channel == pytest.approx(0.05, rel=0.15)
    assert axes[0] == pytest.approx(0.05 * 3**0.5, rel=0.15)
    assert max(axes[1:]) < 0.001


@pytest.mark.parametrize("size", [(8, 8), (40, 9), (160, 200)])
def test_without_noise_there_is_none(size):
    for image in (torch.full((3, *size), 0.5), ramp(3, *size)):
        axes, channel = measure(image, AXES[3])
        assert channel < 1e-3 and max(axes) < 1e-3


def test_the_level_scales_with_the_noise_and_ignores_brightness():
    noise = torch.randn(1, 160, 200)
    levels = [measure(0.4 + offset + s * noise, AXES[1])[1] for s, offset in
              ((0.01, 0), (0.04, 0), (0.01, 0.2))]  # fmt: skip
    assert levels[1] == pytest.approx(4 * levels[0], rel=0.02)
    assert levels[2] == pytest.approx(levels[0], rel=0.02)


def test_few_edges_do_not_raise_the_level():
    image = ramp(1) + 0.01 * torch.randn(1, 160, 200)
    image[:, 40:90, 50:60] += 0.3
    assert measure(image, AXES[1])[1] == pytest.approx(0.01, rel=0.25)
