"""TIFF files as libtiff reads them, in every type, compression and number of channels."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from imrep.images import Metadata, Original
from imrep.images.encode import tiff
from imrep.images.metadata.fields import Coding
from imrep.images.sample_types import Samples

KINDS = ["uint8", "uint16", "int16", "int32", "float32", "float64"]


def numbers(kind, channels, height=11, width=7):
    rng = np.random.default_rng(0)
    if kind.startswith("float"):
        return rng.normal(size=(height, width, channels)).astype(kind)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, (height, width, channels), kind, endpoint=True)


def encoded(values, compression=None, *, inverted=False, **fields):
    metadata = Metadata(coding=Coding(tiff=compression))
    samples = Samples(values.dtype.name, inverted=inverted)
    picture = Original(torch.zeros(1, 1, 1, 1), samples=samples, metadata=metadata, **fields)
    return tiff.encoded(values, picture)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compression", [1, 8, None])
def test_every_type_is_read_by_tifffile(kind, channels, compression):
    import tifffile

    values = numbers(kind, channels)
    with tifffile.TiffFile(io.BytesIO(encoded(values, compression))) as file:
        page = file.pages[0]
        read, extra = page.asarray().reshape(values.shape), page.extrasamples
    assert read.dtype == kind and page.compression == (compression or 8)
    np.testing.assert_array_equal(read, values)
    assert tuple(map(int, extra)) == (() if channels % 2 else (2,))  # straight alpha


@pytest.mark.parametrize("compression", [5, 32773])
@pytest.mark.parametrize(
    ("kind", "channels"), [("uint8", 1), ("uint8", 3), ("uint16", 3), ("float32", 1)]
)
def test_compressions_of_libtiff_are_read_by_opencv(kind, channels, compression):
    import cv2

    values = numbers(kind, channels, height=300, width=300)  # of several strips
    data = encoded(values, compression)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    read = read.reshape(values.shape)[..., ::-1]
    np.testing.assert_array_equal(read, values)
    with Image.open(io.BytesIO(data)) as image:
        assert image.tag_v2[259] == compression and len(image.tag_v2[273]) > 1


@pytest.mark.parametrize(("compression", "written"), [(7, 8), (50000, 8), (32946, 8), (34925, 8)])
def test_compressions_that_are_not_written_become_deflate(compression, written):
    with Image.open(io.BytesIO(encoded(numbers("uint8", 3), compression))) as image:
        assert image.tag_v2[259] == written


@pytest.mark.parametrize("inverted", [False, True])
def test_gray_whose_zero_is_white_says_so(inverted):
    with Image.open(io.BytesIO(encoded(numbers("uint8", 1), inverted=inverted))) as image:
        assert image.tag_v2[262] == (0 if inverted else 1)


def test_profile_resolution_and_camera_are_tags():
    exif = Image.Exif()
    exif[271] = "ACME"
    exif.get_ifd(0x8769)[33434] = 0.25
    data = encoded(numbers("uint8", 3), profile=b"profile", dpi=(300, 150), exif=exif.tobytes())
    with Image.open(io.BytesIO(data)) as image:
        tags, camera = image.tag_v2, image.getexif().get_ifd(0x8769)
        assert tags[34675] == b"profile" and tags[271] == "ACME"
        assert (tags[282], tags[283], tags[296]) == (300, 150, 2)
        assert camera[33434] == 0.25
