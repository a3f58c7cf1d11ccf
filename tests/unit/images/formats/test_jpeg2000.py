"""JPEG 2000: the depths and colour spaces that its header states, before it is decoded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadFile
from imrep.images.formats import jpeg2000


def codestream(*depths):
    """The marker of sizes with a component for each depth (bits less one, 0x80 for signed)."""
    size = b"\xff\x51" + bytes(36) + len(depths).to_bytes(2, "big")
    return size + b"".join(bytes([depth, 1, 1]) for depth in depths)


def colour_box(space):
    return b"colr\1\0\0" + space.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("depths", "bits"),
    [((0,), 1), ((3, 3, 3), 4), ((7, 7, 7), 8), ((11,), 8), ((3, 4, 3), 8), ((), 8)],
)
def test_bits_below_eight_count_where_all_channels_have_as_many(depths, bits):
    assert jpeg2000.few_bits(codestream(*depths)) == bits


@pytest.mark.parametrize("depths", [(7, 7, 7), (15,), (), (7, 7, 7, 7)])
def test_eight_bits_and_gray_are_left_to_pillow(depths):
    assert jpeg2000.samples(codestream(*depths), "a.jp2") is None


@pytest.mark.parametrize(
    "data",
    [
        codestream(11, 11, 7),  # of different depths
        codestream(0x8B, 0x8B, 0x8B),  # signed
        codestream(0x87),
        codestream(*[11] * 5),
        colour_box(18) + codestream(11, 11, 11),  # sYCC
        b"pclr" + codestream(11, 11, 11),
    ],
)
def test_rare_kinds_are_refused_with_a_remedy(data):
    with pytest.raises(BadFile, match=r"a\.jp2 is JPEG 2000 of a rare kind of \d+ bits\. Save it"):
        jpeg2000.samples(data, "a.jp2")


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_samples_are_those_that_were_encoded(bits, channels):
    imagecodecs = pytest.importorskip("imagecodecs")
    values = np.random.default_rng(0).integers(0, 2**bits, (16, 17, channels), np.uint16)
    data = imagecodecs.jpeg2k_encode(values, bitspersample=bits, reversible=True, level=0)
    stored = jpeg2000.samples(data, "a.jp2")
    np.testing.assert_array_equal(stored.values, values)
    assert stored.full == (0, 2**bits - 1)


@given(st.binary(max_size=80))
def test_any_bytes_have_some_depth(data):
    assert 1 <= jpeg2000.few_bits(data) <= 8
    assert 1 <= jpeg2000.few_bits(codestream() + data) <= 8
