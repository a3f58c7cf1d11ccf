"""Every operation of `imrep edit` answers the same questions."""

import re
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from torch.testing import assert_close

from imrep.errors import BadImage, BadParameter
from imrep.registry import operations

NAMES = [name for name in operations.names() if operations.entry(name).gives == "Image"]
NAMES = [name for name in NAMES if operations.entry(name).takes == "Image"]
ONE_CHANNEL = {"edges"}
FEW_LEVELS = {"edges", "poster"}  # whose results have few values by nature


def photo(height=48, width=70, dtype=torch.float32):
    """Part of a photograph, with 16-bit steps and smooth parts."""
    cat = torch.from_numpy(data.chelsea().copy()).permute(2, 0, 1)[None].to(torch.float64) / 255
    part = cat[..., 80:200, 100:280]
    small = torch.nn.functional.interpolate(part, (height, width), mode="bilinear", antialias=True)
    return ((small * 65535).round() / 65535).to(dtype)


def applied(name, image):
    operation = operations.entry(name)
    pictures = {
        p.name: torch.roll(image[:1], 7, 3)
        for p in operation.parameters
        if p.needed and operations.is_image(p)
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, message=f"{name}|stretch")
        return operation.load()(image, **pictures)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_stays_one(name, dtype, channels):
    image = photo(dtype=dtype)[:, :channels]
    before = image.clone()
    after = applied(name, image)
    assert_close(image, before, rtol=0, atol=0)
    expected = 1 if name in ONE_CHANNEL else channels
    assert after.shape == (1, expected, 48, 70) and after.dtype == dtype
    assert after.min() >= 0 and after.max() <= 1
    assert after.data_ptr() != image.data_ptr(), "the result shares memory with the input"


@pytest.mark.parametrize("name", NAMES)
def test_it_does_something(name):
    image = photo()
    image = (image + 0.05 * torch.randn_like(image)).clamp(0, 1)  # something to denoise, too
    after = applied(name, image)
    assert (after.expand_as(image) - image).abs().max() > 1 / 255


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_means_a_loop(name):
    first, second = photo(), photo().flip(3) ** 1.5
    pair = applied(name, torch.cat([first, second]))
    assert_close(pair[:1], applied(name, first), rtol=0, atol=2e-6)
    if "mask" not in {p.name for p in operations.entry(name).parameters}:  # made of the first
        assert_close(pair[1:], applied(name, second), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("noise", [0.0, 0.08])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gray_and_the_same_gray_as_colours_come_out_alike(name, noise, dtype):
    gray = photo(96, 140, dtype=dtype)[:, :1]
    gray = (gray + noise * torch.randn_like(gray)).clamp(0, 1)
    first, three = applied(name, gray), applied(name, gray.expand(-1, 3, -1, -1).contiguous())
    assert_close(three, first.expand_as(three), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", sorted(set(NAMES) - FEW_LEVELS))
def test_nothing_passes_through_eight_bits(name):
    levels = applied(name, photo(dtype=torch.float64))
    inner = levels[(levels > 0.01) & (levels < 0.99)]
    off = (inner * 255 - (inner * 255).round()).abs()
    assert (off > 0.02).double().mean() > 0.8, "most values lie on the steps of 8 bits"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_constant_image_gives_a_constant_one(name, level, channels):
    after = applied(name, torch.full((1, channels, 32, 40), level))
    assert torch.isfinite(after).all()
    assert (after.amax((2, 3)) - after.amin((2, 3))).max() < 1e-5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "broken",
    [
        torch.zeros(3, 40, 40),
        torch.zeros(1, 3, 40, 40, dtype=torch.uint8),
        torch.full((1, 3, 40, 40), 200.0),
        torch.full((1, 3, 40, 40), float("nan")),
        torch.zeros(1, 4, 40, 40),
        torch.zeros(0, 3, 40, 40),
    ],
    ids=["unbatched", "bytes", "0-255", "nan", "four channels", "empty"],
)
def test_bad_images_are_refused_by_name(name, broken):
    with pytest.raises(BadImage) as refused:
        operations.entry(name).load()(
            broken,
            **{
                p.name: torch.zeros(1, 3, 40, 40)
                for p in operations.entry(name).parameters
                if p.needed
            },
        )
    assert re.match(rf"(an? )?{name}", str(refused.value)), refused.value
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12)
@given(height=st.integers(1, 24), width=st.integers(1, 24))
def test_small_images_are_edited_or_refused_by_name(name, height, width):
    image = photo(height, width)
    try:
        after = applied(name, image)
    except (BadImage, BadParameter) as error:
        refusal = str(error)
    else:
        assert after.shape[2:] == (height, width) and torch.isfinite(after).all()
        return
    assert name in refusal
    assert min(height, width) < 16, "a picture of sixteen pixels is edited"
