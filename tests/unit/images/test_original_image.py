"""Pictures with all that goes with them: out of a file, and into one of every kind."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational
from torch.testing import assert_close

from imrep import images
from imrep.errors import BadFile, BadParameter
from imrep.images import BY_BITS, UINT16, Original

RNG = np.random.default_rng(0)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY = SRGB[:16] + b"GRAY" + SRGB[20:]  # its header says so, which is what is asked
MAKE, ORIENTATION, CAMERA, EXPOSURE, GPS, NORTH = 271, 274, 0x8769, 33434, 0x8825, 1


def exif(orientation=1):
    """As a camera writes it: maker, orientation, exposure, place."""
    made = Image.Exif()
    made[MAKE], made[ORIENTATION] = "ACME", orientation
    made.get_ifd(CAMERA)[EXPOSURE] = IFDRational(1, 125)
    made.get_ifd(CAMERA)[0xA002] = 999
    made.get_ifd(GPS)[NORTH] = "N"
    return made.tobytes()


def deep(channels, height=9, width=14):
    """Original of sixteen bits with no two values alike."""
    shape = (1, channels - 1 + channels % 2, height, width)
    pixels = torch.from_numpy(RNG.integers(0, 65536, shape) / 65535).float()
    alpha = torch.from_numpy(RNG.integers(1, 65536, (1, 1, height, width)) / 65535).float()
    return Original(pixels, None if channels % 2 else alpha, UINT16)


def facts(path):
    """EXIF of a file, with its own directories."""
    with Image.open(path) as image:
        known = image.getexif()
        return known.get(MAKE), dict(known.get_ifd(CAMERA)), dict(known.get_ifd(GPS))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_and_alpha_come_back_as_they_were(tmp_path, suffix, channels):
    before = deep(channels)
    assert images.save(tmp_path / f"a{suffix}", before) == ()
    after = images.original(tmp_path / f"a{suffix}")
    assert after.bits == 16
    if channels == 2:  # gray with alpha is written as colours, which every reader knows
        assert_close(after.pixels[:, :1], after.pixels[:, 1:2])
        after = replace(after, pixels=after.pixels[:, :1])
    assert_close(after.pixels * 65535, before.pixels * 65535, rtol=0, atol=0.01)
    if channels % 2:
        assert after.alpha is None
    else:
        assert_close(after.alpha * 65535, before.alpha * 65535, rtol=0, atol=0.01)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_deep_tiff_is_read_by_another_library(tmp_path, channels):
    import tifffile

    before = deep(channels)
    images.save(tmp_path / "a.tif", before)
    planes = [before.pixels] + [before.alpha] * (channels == 4)
    wanted = (torch.cat(planes, 1)[0].permute(1, 2, 0) * 65535).round().numpy()
    found = tifffile.imread(tmp_path / "a.tif")
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_profile_and_exif_go_along(tmp_path, suffix, bits, channels):
    if channels == 1 and suffix == ".webp":
        pytest.skip("WebP has no gray: see test_gray_in_webp")
    profile = SRGB if channels == 3 else GRAY
    picture = Original(
        torch.rand(1, channels, 8, 8), None, BY_BITS[bits], profile, exif(), (300, 300)
    )
    lost = images.save(tmp_path / f"a{suffix}", picture)
    assert lost == (("16 bits",) if bits == 16 and suffix in (".jpg", ".webp") else ())
    after = images.original(tmp_path / f"a{suffix}")
    assert after.profile == profile
    maker, camera, place = facts(tmp_path / f"a{suffix}")
    assert maker == "ACME" and camera[EXPOSURE] == 1 / 125 and place[NORTH] == "N"
    assert after.dpi == pytest.approx((300, 300), abs=0.02)
    again = images.save(tmp_path / f"b{suffix}", after)
    assert again == ()
    updated = "ACME", {EXPOSURE: 1 / 125, 0xA002: 8}, {NORTH: "N"}
    assert facts(tmp_path / f"b{suffix}") == updated


def test_gray_in_webp(tmp_path):
    images.save(tmp_path / "a.webp", Original(torch.full((1, 1, 8, 8), 0.4)))
    assert_close(images.original(tmp_path / "a.webp").pixels, torch.full((1, 3, 8, 8), 0.4))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_orientation_is_handled_once(tmp_path, suffix, orientation):
    pixels = np.repeat(np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)[..., None], 3, 2)
    stored = Image.fromarray(pixels).resize((48, 32), Image.Resampling.NEAREST)
    stored.save(tmp_path / f"a{suffix}", exif=exif(orientation), quality=100)
    upright = images.read(tmp_path / f"a{suffix}")
    before = images.original(tmp_path / f"a{suffix}")
    assert_close(before.pixels, upright, rtol=0, atol=0.02)
    images.save(tmp_path / f"b{suffix}", before)
    assert_close(images.read(tmp_path / f"b{suffix}"), upright, rtol=0, atol=0.02)
    with Image.open(tmp_path / f"b{suffix}") as image:
        assert image.getexif().get(ORIENTATION, 1) == 1
        assert image.getexif().get_ifd(CAMERA)[0xA002] == upright.shape[3]


def test_colours_stay_the_file_s_own(tmp_path):
    wide = SRGB[:24] + b"\x07" + SRGB[25:]  # of another date
    pixels = RNG.integers(0, 256, (6, 7, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=wide)
    found = images.original(tmp_path / "a.png")
    np.testing.assert_array_equal((found.pixels[0].permute(1, 2, 0) * 255).round(), pixels)
    assert found.profile == wide


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "F"])
def test_every_mode_becomes_gray_or_colours(tmp_path, mode):
    base = Image.fromarray(RNG.integers(0, 256, (12, 10, 3)).astype(np.uint8))
    if mode == "I;16":
        image = Image.fromarray(RNG.integers(0, 65536, (12, 10)).astype(np.uint16))
    else:
        image = base.convert("L").convert(mode) if mode in ("LA", "F") else base.convert(mode)
        image = image.point(lambda value: value / 255) if mode == "F" else image
    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr", "F") else "a.png")
    image.save(path)
    found = images.original(path)
    gray = mode in ("1", "L", "LA", "I;16", "F")
    assert found.pixels.shape == (1, 1 if gray else 3, 12, 10)
    assert (found.alpha is not None) == (mode in ("LA", "RGBA"))
    assert found.bits == {"I;16": 16, "F": 32}.get(mode, 8)
    if mode != "F":  # whose numbers say nothing of black and white
        assert_close(found.pixels.expand(1, 3, 12, 10), images.read(path), rtol=0, atol=1.01 / 255)


def test_transparent_pixels_do_not_bleed(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (200, 100, 50, 255)  # the other half is black, and clear
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = images.original(tmp_path / "a.png")
    wanted = torch.tensor([200, 100, 50]).view(1, 3, 1, 1) / 255
    assert_close(found.pixels, wanted.expand(1, 3, 8, 8))
    assert found.alpha[..., :4].min() == 1 and found.alpha[..., 4:].max() == 0


def test_what_a_format_cannot_hold_is_reported(tmp_path):
    clear = Original(torch.zeros(1, 3, 16, 16), torch.full((1, 1, 16, 16), 0.5), UINT16)
    assert images.save(tmp_path / "a.jpg", clear) == ("16 bits", "transparency")
    assert_close(
        images.read(tmp_path / "a.jpg"), torch.full((1, 3, 16, 16), 0.5), rtol=0, atol=0.01
    )
    with pytest.raises(BadParameter, match=r"save needs a name ending in .*got 'a\.bmp'"):
        images.save(tmp_path / "a.bmp", clear)


def test_transparent_colours_of_png(tmp_path):
    gray = RNG.integers(0, 65536, (6, 6)).astype(np.uint16)
    gray[2, 3] = 77
    file = io.BytesIO()
    Image.fromarray(gray).save(file, "PNG", transparency=77)
    found = images.original(file.getvalue())
    assert found.bits == 16 and found.alpha[0, 0, 2, 3] == 0
    assert found.alpha.sum() == 36 - (gray == 77).sum()


LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.mark.parametrize("profile", [b"junk" * 40, LAB], ids=["junk", "of other colours"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_what_makes_no_sense_is_left_out(tmp_path, suffix, profile, capfd):
    file = io.BytesIO()
    pixels = RNG.integers(0, 256, (20, 20, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file, "JPEG", icc_profile=profile)
    found = images.original(file.getvalue())
    assert found.profile is None
    wild = replace(found, profile=profile, exif=b"junk" * 9, dpi=(300.0, float("nan")))
    tamed = images.sanitised(wild)
    assert (tamed.profile, tamed.exif, tamed.dpi) == (None, None, None)
    images.save(tmp_path / f"a{suffix}", tamed)
    assert images.original(tmp_path / f"a{suffix}").pixels.shape == (1, 3, 20, 20)
    assert capfd.readouterr().err == ""


def test_what_cannot_be_coded_leaves_no_file(tmp_path):
    with pytest.raises(OSError, match="PNG"):
        images.save(tmp_path / "a.png", Original(torch.zeros(1, 3, 8, 8), profile=b"junk" * 40))
    assert list(tmp_path.iterdir()) == []


def test_exif_that_a_jpeg_has_no_room_for(tmp_path):
    known = Image.Exif()
    known[270] = "long " * 14_000
    picture = Original(torch.zeros(1, 3, 8, 8), exif=known.tobytes())
    assert images.save(tmp_path / "a.jpg", picture) == ("so long EXIF",)
    assert images.save(tmp_path / "a.png", picture) == ()
    with Image.open(tmp_path / "a.png") as image:
        assert image.getexif()[270] == known[270]


def test_damaged_exif_is_left_out():
    pixels = RNG.integers(0, 256, (20, 20, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert images.original(file.getvalue()).exif is None


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(BadFile, match=r"^a\.png "):
        images.original(tmp_path / "a.png")


def test_sixteen_bit_colours_are_what_opencv_reads(tmp_path):
    before = deep(3)
    images.save(tmp_path / "a.png", before)
    found = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    wanted = (before.pixels[0].permute(1, 2, 0) * 65535).round().numpy()
    np.testing.assert_array_equal(found, wanted)
