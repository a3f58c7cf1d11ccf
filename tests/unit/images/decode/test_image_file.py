"""An opened image: which profile, orientation and colour space apply."""

import struct

import numpy as np
import picture_files as files
import pytest
from PIL import Image, ImageCms

from imrep.errors import BadFile
from imrep.images.decode import image_file, open_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
IMAGE = Image.fromarray(np.rint(files.scene() * 255).astype(np.uint8))


def nclx(primaries, transfer):
    return b"\0\0\0\x13colrnclx" + struct.pack(">HHHB", primaries, transfer, 1, 128)


@pytest.mark.parametrize("orientation", [1, 2, 6, 8])
def test_orientation_is_exifs(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    data = files.saved(IMAGE, "JPEG", exif=exif.tobytes())
    assert open_image.opened(data, "a").orientation == orientation


@pytest.mark.parametrize("orientation", [0, 9, 1000])
def test_an_orientation_outside_the_eight_is_upright(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    assert open_image.opened(files.saved(IMAGE, "JPEG", exif=exif.tobytes()), "a").orientation == 1


def test_code_points_of_a_png_have_precedence_over_its_profile():
    data = files.saved(IMAGE, icc_profile=SRGB)
    assert open_image.opened(data, "a").profile == SRGB
    with_code = data[:33] + files.chunk(b"cICP", bytes([1, 13, 0, 1])) + data[33:]
    assert open_image.opened(with_code, "a").profile is None
    assert open_image.opened(files.saved(IMAGE), "a").profile is None


@pytest.mark.parametrize(
    ("box", "converts"),
    [(nclx(1, 13), False), (nclx(2, 2), False), (nclx(1, 1), False), (nclx(9, 16), True),
     (nclx(12, 13), True), (nclx(1, 18), True), (b"", False), (nclx(9, 16)[:12], False)],
)  # fmt: skip
def test_the_colour_box_of_heif(box, converts):
    assert (image_file._of_nclx(b"ftyp" + box) is not None) == converts


def test_wide_primaries_keep_the_curve_of_srgb():
    space = image_file._of_nclx(nclx(12, 1))
    half = np.full((1, 1, 3), 0.5, np.float32)
    np.testing.assert_allclose(space.to_srgb(half), 0.5, atol=2e-3)  # gray is the same in both


@pytest.mark.parametrize(
    ("data", "form", "mode", "size"),
    [
        (files.saved(IMAGE), "PNG", "RGB", (53, 37)),
        (b"P5 4 3 99\n" + bytes(12), "PPM", "L", (4, 3)),
        (files.fits(np.zeros((3, 4), ">f4"), -32), "FITS", "L", (4, 3)),
        (files.tiff(np.zeros((3, 4, 3), int), 12, {262: (3, [2])}), "TIFF", "RGB", (4, 3)),
    ],
)
def test_headers_are_read_without_decoding(data, form, mode, size):
    picture = open_image.opened(data, "a")
    assert (picture.format, picture.size) == (form, size)
    assert picture.mode.startswith(mode)
    assert (picture.decoder is None) == (form == "PNG")


def test_pixels_are_limited_for_every_decoder():
    for data in (files.saved(IMAGE), b"P5 53 37 99\n" + bytes(53 * 37)):
        assert open_image.opened(data, "a", 53 * 37).size == (53, 37)
        with pytest.raises(BadFile, match=r"at most 1,960 pixels, got 53 × 37 = 1,961\. Raise"):
            open_image.opened(data, "a", 53 * 37 - 1)


def test_a_picture_in_memory_has_no_file():
    picture = image_file.in_memory(IMAGE, "this picture")
    assert (picture.data, picture.format, picture.orientation) == (b"", "", 1)
    assert picture.colour_space is None and not picture.is_jpeg
