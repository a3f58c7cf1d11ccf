import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torch.testing import assert_close

from imrep.edit.operations.stylise import stylise
from imrep.errors import BadParameter
from imrep.ops.colour import lightness, to_lab
from imrep.ops.metrics import psnr


def coffee():
    photo = torch.from_numpy(data.coffee()[:240:2, 100:400:2].copy()).permute(2, 0, 1)
    return photo[None].double() / 255


def test_lightness_is_that_of_lab():
    x = torch.rand(2, 3, 9, 8, dtype=torch.float64)
    assert_close(lightness(x), to_lab(x)[:, :1])
    assert_close(
        lightness(x[:, :1]), to_lab(x[:, :1].expand(-1, 3, -1, -1))[:, :1], atol=1e-6, rtol=0
    )


def test_fine_bins_no_edges_and_a_narrow_filter_give_the_image():
    x = coffee()
    out = stylise(x, bins=256, edges=0, sigma_space=0.1, sigma_range=0.1)
    assert psnr(lightness(out), lightness(x)) > 45
    assert psnr(out, x) > 30  # chroma comes from half the size


def test_without_a_filter_lightness_is_the_papers():
    x = coffee()[:, :1]
    light = lightness(x)
    nearest = (light * 8).round() / 8
    shade = nearest + 1 / 16 * torch.tanh(32 * (light - nearest))
    g = light[0, 0].numpy()
    first, second = (
        cv2.GaussianBlur(g, (2 * round(3 * s) + 1,) * 2, s, borderType=cv2.BORDER_REFLECT_101)
        for s in (1.0, 1.6)
    )
    lines = 1 + np.tanh(np.minimum(100 * (first - 0.98 * second), 0))
    out = stylise(x, iterations=1, sigma_space=0.1, sigma_range=0.1, sigma_edge=1.0)
    expected = shade.clamp(0, 1) * torch.from_numpy(lines)
    assert (lightness(out) - expected).abs().median() < 1e-3
    assert psnr(lightness(out), expected) > 35


def test_few_bins_leave_few_shades():
    nearest = (lightness(stylise(coffee(), bins=4, edges=0)) * 4).flatten()
    on_a_shade = ((nearest - 0.5).round() - (nearest - 0.5)).abs() < 0.1
    fine = (lightness(coffee()) * 4).flatten()
    at_first = ((fine - 0.5).round() - (fine - 0.5)).abs() < 0.1
    assert on_a_shade.double().mean() > 1.5 * at_first.double().mean()


def test_lines_lie_on_the_dark_side_of_a_step_and_grow_with_edges():
    x = torch.full((1, 1, 40, 60), 0.3, dtype=torch.float64)
    x[..., 30:] = 0.9
    plain, weak, strong = (stylise(x, edges=edges, sigma_edge=1.5)[0, 0] for edges in (0, 0.3, 3))
    darker = plain - weak > 0.01
    assert (
        darker[:, 26:30].any(0).sum() >= 2 and not darker[:, 32:].any() and not darker[:, :20].any()
    )
    assert (strong <= weak + 1e-6).all() and (weak <= plain + 1e-6).all()
    assert strong[:, 29].max() < 0.1


def test_colours_stay():
    x = coffee()
    before, after = (to_lab(y)[:, 1:].mean((2, 3)) for y in (x, stylise(x, edges=0)))
    assert_close(before, after, rtol=0, atol=0.01)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_constant_becomes_its_shade(value):
    x = torch.full((1, 3, 7, 9), value)
    light = lightness(x)
    out = stylise(x)
    assert (out - out[0, 0, 0, 0]).abs().max() < 1e-4
    assert (lightness(out) - light).abs().max() <= 1 / 16 + 1e-6


def test_the_same_scene_at_twice_the_size_looks_the_same():
    x = coffee()
    large = torch.nn.functional.interpolate(x, scale_factor=2, mode="bicubic").clamp(0, 1)
    small = torch.nn.functional.avg_pool2d(stylise(large), 2)
    assert psnr(small, stylise(x)) > 24


def test_what_cannot_be_is_refused():
    x = torch.rand(1, 3, 8, 8)
    for options, message in (
        ({"iterations": 0}, "stylise needs iterations from 1 to 10, got 0"),
        ({"bins": 1}, "stylise needs bins from 2 to 256, got 1"),
        ({"edges": -1}, "stylise needs edges from 0 to 100, got -1"),
        ({"sigma_edge": -1}, "stylise needs sigma_edge from 0 to 100, got -1"),
        ({"sigma_space": 0}, "stylise needs sigma_space above 0 and finite, got 0"),
        ({"sigma_range": 0}, "stylise needs sigma_range above 0 and finite, got 0"),
    ):
        with pytest.raises(BadParameter, match=message):
            stylise(x, **options)
    for size in ((1, 1), (1, 5), (3, 1)):
        assert stylise(torch.rand(1, 3, *size)).shape == (1, 3, *size)
