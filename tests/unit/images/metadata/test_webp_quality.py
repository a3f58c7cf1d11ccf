"""The quality of a WebP, estimated from its first bytes."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imrep.images.metadata.webp_quality import quality

# Texture everywhere: libwebp spreads the quantisers of pictures that are smooth in parts.
TEXTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8))


def webp(**options):
    file = io.BytesIO()
    TEXTURE.save(file, "WEBP", **options)
    return file.getvalue()


@pytest.mark.parametrize("stated", [5, 20, 40, 60, 75, 85, 95, 100])
def test_it_is_within_a_few_units_of_the_stated_one(stated):
    assert quality(webp(quality=stated)) == pytest.approx(stated, abs=3)


def test_it_rises_with_the_stated_one():
    estimates = [quality(webp(quality=stated)) for stated in range(10, 101, 15)]
    assert estimates == sorted(set(estimates))


def test_an_image_with_alpha_and_metadata_has_one():
    image = TEXTURE.copy()
    image.putalpha(128)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=70, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0", xmp=b"<x/>")
    assert quality(file.getvalue()) == pytest.approx(70, abs=3)


def test_lossless_and_other_files_have_none():
    assert quality(webp(lossless=True)) is None
    assert quality(b"") is None
    assert quality(webp(quality=50)[:30]) is None


@given(st.binary(max_size=40))
def test_damaged_frames_have_none_or_one_in_range(frame):
    data = b"RIFF\0\0\0\0WEBPVP8 " + len(frame).to_bytes(4, "little") + frame
    assert quality(data) is None or 1 <= quality(data) <= 100
