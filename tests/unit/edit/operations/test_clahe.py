import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torch.testing import assert_close

from imrep.edit.operations.clahe import clahe
from imrep.edit.operations.equalise import equalise
from imrep.errors import BadImage, BadParameter
from imrep.ops.colour import luminance


def gray(array):
    return torch.from_numpy(array.astype(np.float32) / 255)[None, None]


@pytest.mark.parametrize(("name", "clip"), [("camera", 2), ("camera", 4), ("moon", 4)])
def test_8_bit_images_come_out_about_as_opencvs(name, clip):
    photo = getattr(data, name)()
    theirs = cv2.createCLAHE(clip, (4, 4)).apply(photo)
    off = (clahe(gray(photo), clip=clip, tiles=4) * 255)[0, 0].numpy() - theirs
    # OpenCV spreads whole pixels and what is over among the darkest bins: more in smaller tiles.
    assert np.abs(off).mean() < 0.7 and np.quantile(np.abs(off), 0.999) < 2.5


def slowly(x, clip, tiles, bins):
    """The definition, pixel by pixel."""
    height, width = x.shape
    curves = {}
    for r in range(tiles):
        for c in range(tiles):
            tile = x[r * height // tiles : (r + 1) * height // tiles]
            tile = tile[:, c * width // tiles : (c + 1) * width // tiles]
            count = np.bincount(np.rint(tile * (bins - 1)).astype(int).ravel(), minlength=bins)
            limit = clip * tile.size / bins
            count = np.minimum(count, limit) + np.maximum(count - limit, 0).sum() / bins
            curve = count.cumsum()
            curves[r, c] = (curve - curve[0]) / (curve[-1] - curve[0])
    out = np.zeros_like(x)
    for i, j in np.ndindex(*x.shape):
        y, z = ((p + 0.5) * tiles / n - 0.5 for p, n in ((i, height), (j, width)))
        y, z = (min(max(p, 0), tiles - 1) for p in (y, z))
        top, left = min(int(y), tiles - 2), min(int(z), tiles - 2)
        for r, c in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            read = np.interp(x[i, j] * (bins - 1), np.arange(bins), curves[r, c])
            out[i, j] += (1 - abs(y - r)) * (1 - abs(z - c)) * read
    return out


@pytest.mark.parametrize("bins", [16, 256])
def test_it_is_the_definition(bins):
    x = torch.rand(24, 40, dtype=torch.float64) ** 2
    out = clahe(x[None, None], clip=1.7, tiles=4, bins=bins)[0, 0]
    assert_close(out.numpy(), slowly(x.numpy(), 1.7, 4, bins), rtol=0, atol=1e-9)


def test_one_tile_and_no_limit_is_equalising():
    x = gray(data.camera())
    assert_close(clahe(x, clip=256, tiles=1), equalise(x), rtol=0, atol=1e-4)


def test_values_spread_evenly_stay_and_so_do_black_and_white():
    x = torch.rand(1, 1, 400, 400)
    x[..., ::7, ::5] = x.gt(0.5)[..., ::7, ::5].float()
    out = clahe(x, clip=1, tiles=2, bins=64)
    assert_close(out, x, rtol=0, atol=0.02)
    assert (out[x == 0] == 0).all() and (out[x == 1] > 1 - 1e-6).all()


def test_the_curve_is_nowhere_steeper_than_clip():
    x = torch.linspace(0.4, 0.5, 10000).view(1, 1, 100, 100)
    out = clahe(x, clip=3, tiles=1).flatten()
    steepest = (out.diff() / x.flatten().diff()).max()
    assert 2.9 < steepest < 3 + 1  # and an equal part of what is cut off: at most 1
    assert (out.diff() >= 0).all()


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_moves_by_less_than_clip_bins(value):
    x = torch.full((1, 3, 20, 30), value)
    assert (clahe(x) - x).abs().max() < 2 / 256
    assert clahe(x, clip=1000).isfinite().all()


def test_a_mirrored_image_gives_the_mirrored_result():
    x = gray(data.camera()[::4, ::4].copy())
    assert_close(clahe(x.flip(2, 3)).flip(2, 3), clahe(x))


def test_in_colour_it_is_the_luma_that_is_treated():
    x = torch.from_numpy(data.astronaut()[::4, ::4].copy()).permute(2, 0, 1)[None].double() / 255
    assert_close(luminance(clahe(x)), clahe(luminance(x)), rtol=0, atol=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(
        BadImage, match=r"clahe needs .* 8×8 pixels at tiles=8, got 5×9\. Use tiles=5"
    ):
        clahe(torch.rand(1, 3, 5, 9))
    x = torch.rand(1, 1, 16, 16)
    for options, message in (
        ({"clip": 0.5}, "clahe needs clip of at least 1, got 0.5"),
        ({"tiles": 0}, "clahe needs tiles from 1 to 256, got 0"),
        ({"bins": 1}, "clahe needs bins from 2 to 65536, got 1"),
    ):
        with pytest.raises(BadParameter, match=message):
            clahe(x, **options)


@pytest.mark.parametrize("clip", [1, 2, 3.7, 40])
@pytest.mark.parametrize("size", [(512, 512), (301, 203), (64, 67)])
def test_opencvs_own_to_the_bit(clip, size):
    photo = data.camera()[: size[0], : size[1]]
    theirs = cv2.createCLAHE(clip, (8, 8)).apply(photo)
    ours = clahe(gray(photo), clip=clip, method="opencv")
    np.testing.assert_array_equal((ours[0, 0] * 255).round().numpy(), theirs)
    deep = photo.astype(np.uint16) * 257
    theirs = cv2.createCLAHE(clip, (8, 8)).apply(deep)
    image = torch.from_numpy(deep / 65535)[None, None]
    ours = clahe(image, clip=clip, bins=65536, method="opencv")
    np.testing.assert_array_equal((ours[0, 0] * 65535).round().numpy(), theirs)


def test_opencvs_knows_two_numbers_of_bins_and_other_methods_are_refused():
    x = torch.rand(1, 1, 32, 32)
    with pytest.raises(BadParameter, match="clahe needs bins to be 256 or 65536 at method=opencv"):
        clahe(x, bins=64, method="opencv")
    with pytest.raises(BadParameter, match="clahe needs method to be one of exact, opencv"):
        clahe(x, method="cv2")


def test_opencvs_keeps_the_chroma():
    x = torch.from_numpy(data.astronaut()[100:200, 100:230].copy()).permute(2, 0, 1)[None] / 255
    out = clahe(x, method="opencv")
    levels = (luminance(x) * 255).round()
    expected = cv2.createCLAHE(2.0, (8, 8)).apply(levels[0, 0].numpy().astype(np.uint8))
    assert_close(luminance(out)[0, 0] * 255, torch.from_numpy(expected).float(), rtol=0, atol=0.01)
