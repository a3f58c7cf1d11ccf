"""Coefficients of luma and chroma: of any colour space, or refused by name."""

import io

import pytest
from PIL import Image
from skimage import data

from imrep import _native
from imrep.errors import BadFile
from imrep.jpeg import ycbcr

pytestmark = pytest.mark.skipif(not _native.built("jpeg"), reason=_native.state("jpeg"))


def file(mode="RGB", **options):
    out = io.BytesIO()
    pixels = Image.fromarray(data.astronaut()[:64, 200:280]).convert(mode)
    pixels.save(out, "jpeg", quality=95, **options)
    return out.getvalue()


@pytest.mark.parametrize(("mode", "planes"), [("RGB", 3), ("L", 1)])
def test_planes(mode, planes):
    code = ycbcr.read(file(mode), "me")
    assert len(code.values) == planes and code.size == (64, 80)
    assert code.values[0].shape == (1, 8, 8, 8, 10)


def test_red_green_and_blue_are_mixed():
    mixed, stored = (ycbcr.read(file(subsampling=0, keep_rgb=rgb), "me") for rgb in (True, False))
    for own, other in zip(mixed.values, stored.values, strict=True):
        assert (own - other).square().mean().sqrt() < 2  # quantised otherwise


def test_what_has_no_luma_or_no_end_is_refused():
    with pytest.raises(BadFile, match=r"gray, YCbCr or RGB planes for me, got 4 planes \(CMYK\)"):
        ycbcr.read(file("CMYK"), "me")
    with pytest.raises(BadFile, match="needs to be complete for me"):
        ycbcr.read(file()[:1500], "me")
