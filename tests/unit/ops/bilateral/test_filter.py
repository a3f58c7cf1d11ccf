"""The bilateral filter by its grid: the laws of the exact one, and how near it comes to it."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from torch.testing import assert_close

from imrep import _native
from imrep.errors import BadImage, BadParameter
from imrep.ops.bilateral import filter, lattice
from imrep.ops.bilateral import grid as single
from imrep.ops.bilateral.filter import bilateral_filter
from imrep.ops.metrics import psnr
from imrep.testing import photo

SIZES = st.integers(1, 40)


def camera(side=128, dtype=torch.float32):
    pixels = data.camera()[150 : 150 + side, 150 : 150 + side] / 255
    return torch.from_numpy(pixels).to(dtype)[None, None]


def exact(image, guide, sigma_space, sigma_range, radius=None):
    """The definition, offset by offset, over a square."""
    height, width = guide.shape[2:]
    radius = math.ceil(3 * sigma_space) if radius is None else radius
    pads = [(0, 0), (0, 0), (radius, radius), (radius, radius)]
    colours, edges = (
        torch.from_numpy(np.pad(x.numpy(), pads, mode="reflect")) for x in (image, guide)
    )
    sums, weights = torch.zeros_like(image), torch.zeros_like(guide)
    for y in range(2 * radius + 1):
        for x in range(2 * radius + 1):
            rows, columns = slice(y, y + height), slice(x, x + width)
            far = ((y - radius) ** 2 + (x - radius) ** 2) / (2 * sigma_space**2)
            unlike = (edges[..., rows, columns] - guide).square() / (2 * sigma_range**2)
            weight = torch.exp(-far - unlike)
            sums += weight * colours[..., rows, columns]
            weights += weight
    return sums / weights


def blurred(image, sigma):
    radius = math.ceil(3 * sigma)
    return cv2.GaussianBlur(
        image[0, 0].numpy(), (2 * radius + 1,) * 2, sigma, borderType=cv2.BORDER_REFLECT_101
    )


@settings(max_examples=15)
@given(SIZES, SIZES, st.floats(0.2, 60), st.floats(0.02, 5), st.floats(1, 3))
def test_stays_within_the_range_of_the_image(height, width, space, spread, samples):
    image = photo(height, width, batch=2)
    kept = image.clone()
    out = bilateral_filter(image, sigma_space=space, sigma_range=spread, samples=samples)
    assert out.shape == image.shape and torch.equal(image, kept)
    low, high = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
    assert ((out >= low - 1e-6) & (out <= high + 1e-6)).all()


@settings(max_examples=15)
@given(SIZES, SIZES, st.floats(0.1, 1000), st.floats(0.01, 100), st.floats(-3, 300))
def test_a_constant_is_a_fixed_point(height, width, space, spread, level):
    image = torch.full((1, 1, height, width), level)
    out = bilateral_filter(image, sigma_space=space, sigma_range=spread)
    assert_close(out, image, rtol=1e-6, atol=1e-6)


def test_a_large_constant_is_a_fixed_point_however_wide_the_blur():
    image = torch.full((1, 1, 900, 1100), 0.7)
    out = bilateral_filter(image, sigma_space=2000.0, sigma_range=0.1)
    assert_close(out, image, rtol=0, atol=1e-6)


@pytest.mark.parametrize("space", [1.0, 3.0, 30.0])
def test_nothing_is_alike_at_a_narrow_range(space):
    values = torch.randperm(12 * 9, generator=torch.Generator().manual_seed(0))
    image = (values / (12 * 9)).view(1, 1, 12, 9)  # no two pixels agree
    out = bilateral_filter(image, sigma_space=space, sigma_range=1e-3)
    assert_close(out, image, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("space", "least"), [(0.5, 70), (1.0, 70), (2.0, 65), (5.0, 55)])
def test_everything_is_alike_at_a_wide_range(space, least):
    image = camera(96)
    out = bilateral_filter(image, sigma_space=space, sigma_range=1e4, samples=2.5)
    assert psnr(out[0, 0], torch.from_numpy(blurred(image, space))) > least


def test_the_least_numbers_and_the_greatest_are_widths_too():
    image = camera(20, torch.float64)
    assert_close(bilateral_filter(image, sigma_space=1e-200, sigma_range=0.1), image)
    out = bilateral_filter(image, sigma_space=1e300, sigma_range=1e300)
    assert out.isfinite().all() and out.std() < 1e-3


def test_as_wide_as_can_be_is_the_mean():
    image = camera(33, torch.float64)
    out = bilateral_filter(image, sigma_space=1e9, sigma_range=1e9, samples=3)
    weight = torch.ones(33, dtype=torch.float64)
    weight[[0, -1]] = 0.5  # mirrored without repeating the edge, the border counts half as often
    mean = (image[0, 0] * weight[:, None] * weight).sum() / weight.sum() ** 2
    assert_close(out, mean.expand_as(out), rtol=0, atol=1e-3)  # the window ends somewhere


@pytest.mark.parametrize("turn", [lambda x: x.mT, lambda x: x.flip(2), lambda x: x.flip(3)])
@pytest.mark.parametrize("side", [60, 61, 97])
def test_filtering_commutes_with_rotation(turn, side):
    image = camera(side, torch.float64)
    options = {"sigma_space": 4.0, "sigma_range": 0.1}
    one, other = turn(bilateral_filter(image, **options)), bilateral_filter(turn(image), **options)
    assert_close(one, other, rtol=0, atol=1e-12)


def test_brightness_shifts_through():
    image = camera(48, torch.float64)
    options = {"sigma_space": 4.0, "sigma_range": 0.1}
    moved = bilateral_filter(3 * image - 7, sigma_space=4.0, sigma_range=0.3)
    assert_close(moved, 3 * bilateral_filter(image, **options) - 7, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("space", "spread", "samples", "least"),
    [
        *((8.0, 0.1, *pair) for pair in ((1.0, 50), (1.25, 54), (1.5, 57), (2.0, 62))),
        *((space, 0.1, 1.5, 57) for space in (0.3, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)),
        (8.0, 0.05, 1.5, 58),
        (8.0, 0.2, 1.5, 56),
        (8.0, 0.4, 1.5, 53),
    ],
)
def test_the_result_approximates_the_exact_filter(space, spread, samples, least):
    image = camera(80)
    out = bilateral_filter(image, sigma_space=space, sigma_range=spread, samples=samples)
    assert psnr(out, exact(image, image, space, spread)) > least


def test_the_result_approximates_the_stored_exact_ones(references):
    stored = references("bilateral")
    gray = torch.from_numpy(stored["gray"])[None, None]
    rgb = torch.from_numpy(stored["rgb"]).permute(2, 0, 1)[None]
    wanted = torch.from_numpy(stored["exact_gray_ss8_sr0p1_r24"])
    out = bilateral_filter(gray, sigma_space=8, sigma_range=0.1)
    assert psnr(out[0, 0], wanted) > 58.9
    wanted = torch.from_numpy(stored["exact_cross_rgb_ss8_sr0p1_r24"]).permute(2, 0, 1)
    out = bilateral_filter(rgb, gray, sigma_space=8, sigma_range=0.1)
    assert psnr(out[0], wanted) > 58.5


def test_the_reference_of_these_tests_is_the_stored_one(references):
    stored = references("bilateral")
    gray = torch.from_numpy(stored["gray"])[None, None].double()
    wanted = stored["exact_square_ss4_sr0p1_r6"]
    np.testing.assert_allclose(exact(gray, gray, 4, 0.1, 6)[0, 0], wanted, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (2, 2), (3, 31)])
def test_small_images_approximate_the_exact_filter(size):
    image = photo(*size, batch=1, channels=1).double()
    for space in (0.7, 3.0):
        out = bilateral_filter(image, sigma_space=space, sigma_range=0.2)
        assert psnr(out, exact(image, image, space, 0.2)) > 50


def test_a_batch_is_a_loop_and_strips_change_nothing(monkeypatch):
    image = photo(50, 37, batch=3)
    options = {"sigma_space": 3.0, "sigma_range": 0.1}
    whole = bilateral_filter(image, **options)
    for one, out in zip(image, whole, strict=True):
        assert_close(bilateral_filter(one[None], **options)[0], out, rtol=0, atol=0)
    monkeypatch.setattr(single, "_STRIP", 100)
    assert_close(bilateral_filter(image, **options), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("space", [0.5, 2.0, 4.0])
def test_bands_of_the_grid_change_nothing(monkeypatch, space):
    image = photo(301, 40)
    whole = bilateral_filter(image, sigma_space=space, sigma_range=0.1)
    monkeypatch.setattr(filter, "_BAND_BYTES", 1)
    out = bilateral_filter(image, sigma_space=space, sigma_range=0.1)
    assert_close(out, whole, rtol=0, atol=1e-6)


def test_steps_are_the_filter():
    image, guide = photo(40, 33), photo(40, 33, channels=1).flip(3)
    nodes = lattice.lattice((40, 33), 4.0, 0.1, bounds=(0.0, 1.0))
    sums = filter.splat(image, guide, nodes)
    assert sums.shape == (2, 4, *nodes.shape)
    grid = filter.blur(sums, nodes)
    out = filter.slice_smooth(grid, guide, nodes)
    options = {"sigma_space": 4.0, "sigma_range": 0.1, "bounds": (0.0, 1.0)}
    assert_close(out, bilateral_filter(image, guide, **options))


def test_splat_counts_every_pixel_of_the_mirrored_image():
    nodes = lattice.lattice((40, 33), 4.0, 0.1)
    image = photo(40, 33, channels=1).double()
    colours, weights = filter.splat(image, image, nodes)[0]
    half = [torch.ones(n, dtype=torch.float64) for n in (nodes.rows.nodes, nodes.columns.nodes)]
    for line in half:
        line[[0, -1]] = 0.5
    inside = half[0][:, None] * half[1]
    assert_close((weights * inside).sum(), torch.tensor(39.0 * 32.0, dtype=torch.float64))
    edges = [torch.ones(n, dtype=torch.float64) for n in (40, 33)]
    for line in edges:
        line[[0, -1]] = 0.5
    total = (image[0, 0] * edges[0][:, None] * edges[1]).sum()
    assert_close((colours * inside).sum(), total)


@pytest.mark.parametrize("space", [0.6, 2.5])
def test_gradients_in_image_and_guide(space):
    image = photo(4, 5, batch=1).double().requires_grad_()
    guide = photo(5, 4, batch=1, channels=1).double().mT.clone().requires_grad_()
    options = {"sigma_space": space, "sigma_range": 0.3, "bounds": (0.0, 1.0)}
    assert torch.autograd.gradcheck(
        lambda x, g: bilateral_filter(x, g, **options), (image, guide), fast_mode=True
    )


def test_many_channels_take_a_guide():
    features = torch.randn(1, 5, 20, 20)
    guide = photo(20, 20, batch=1, channels=1)
    out = bilateral_filter(features, guide, sigma_space=3, sigma_range=0.1)
    for i in range(5):
        alone = bilateral_filter(features[:, i : i + 1], guide, sigma_space=3, sigma_range=0.1)
        assert_close(out[:, i : i + 1], alone)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma_space": 0.0}, "sigma_space above 0 and finite, got 0.0"),
        ({"sigma_range": -1.0}, "sigma_range above 0 and finite, got -1.0"),
        ({"sigma_space": math.inf}, "sigma_space above 0 and finite, got inf"),
        ({"sigma_range": math.nan}, "sigma_range above 0 and finite, got nan"),
        ({"samples": 0.9}, "samples of at least 1 and finite, got 0.9"),
        ({"bounds": (1.0, 0.0)}, "bounds in ascending order"),
    ],
)
def test_bad_parameters_are_refused(options, message):
    with pytest.raises(BadParameter, match=message):
        bilateral_filter(photo(), **{"sigma_space": 8.0, "sigma_range": 0.1, **options})


@pytest.mark.parametrize(
    ("image", "guide", "message"),
    [
        (photo()[0], None, "got torch.float32 of shape"),
        ((photo() * 255).byte(), None, "got torch.uint8"),
        (photo().masked_fill(photo() > 0.9, torch.nan), None, "values that are finite, got NaN"),
        (torch.rand(1, 5, 8, 8), None, "guide for images of 5 channels"),
        (photo(), photo(), "guide of shape"),
        (photo(), photo(channels=1)[..., :-1], "guide of shape"),
        (photo(), photo(channels=1).double(), "and torch.float64"),
        (photo(), photo(channels=1) / 0, "values of the guide that are finite"),
        (photo(), photo(channels=1) + 1, "guide from 0 to 1, got 1"),
    ],
)
def test_bad_images_and_guides_are_refused(image, guide, message):
    with pytest.raises(BadImage, match=message):
        bilateral_filter(image, guide, sigma_space=8, sigma_range=0.1, bounds=(0.0, 1.0))


@pytest.mark.parametrize("spread", [1e-7, 1e-300])
def test_a_grid_beyond_memory_is_refused(spread):
    with pytest.raises(BadImage, match=r"grid of at most 512 MB, got .* Use a greater sigma_space"):
        bilateral_filter(photo(), sigma_space=1, sigma_range=spread)


@pytest.mark.skipif(not _native.built("kernels"), reason="no compiler at install")
@settings(max_examples=25)
@given(height=SIZES, width=SIZES, sigma=st.sampled_from([0.3, 1.0, 4.0, 60.0]))
@pytest.mark.parametrize("channels", [1, 3])
def test_in_c_as_in_torch(channels, height, width, sigma):
    image, guide = torch.rand(2, channels, height, width), torch.rand(2, 1, height, width)
    how = {"sigma_space": sigma, "sigma_range": 0.2}
    native = bilateral_filter(image, guide, **how)
    with _native.switched_off():
        assert_close(native, bilateral_filter(image, guide, **how), rtol=0, atol=3e-6)


@pytest.mark.skipif(not _native.built("kernels"), reason="no compiler at install")
def test_in_c_as_in_torch_where_the_image_is_no_plain_memory(monkeypatch):
    monkeypatch.setattr(single, "_STRIP", 300)
    image = torch.rand(2, 70, 90, 3).permute(0, 3, 1, 2)
    guide = torch.rand(2, 1, 90, 70).mT
    how = {"sigma_space": 5.0, "sigma_range": 0.1}
    native = bilateral_filter(image, guide, **how)
    with _native.switched_off():
        assert_close(native, bilateral_filter(image, guide, **how), rtol=0, atol=3e-6)
