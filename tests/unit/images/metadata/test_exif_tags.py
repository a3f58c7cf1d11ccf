"""EXIF tags: those about the picture stay, those about stored pixels go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imrep.images.metadata import exif_tags

MAKE, DESCRIPTION, ORIENTATION, CAMERA, GPS = 271, 270, 274, 0x8769, 0x8825
WIDTH, HEIGHT = 0xA002, 0xA003


def exif(**tags):
    return tagged({MAKE: "ACME", ORIENTATION: 6} | {int(key[1:]): tag for key, tag in tags.items()})


def tagged(tags):
    result = Image.Exif()
    for tag, value in tags.items():
        result[tag] = value
    return result


def damaged():
    raise SyntaxError("not EXIF")


def read_back(data):
    result = Image.Exif()
    result.load(data)
    return result


def test_upright_pixels_have_orientation_1_and_their_own_size():
    made = exif()
    made.get_ifd(CAMERA).update({WIDTH: 640, 33434: 0.5})
    made.get_ifd(GPS)[1] = "N"
    result = read_back(exif_tags.upright(lambda: made, 7, 9))
    assert result[ORIENTATION] == 1 and result[MAKE] == "ACME"
    camera = result.get_ifd(CAMERA)
    assert camera[WIDTH] == 7 and camera[33434] == 0.5
    assert HEIGHT not in camera  # it was not stated
    assert result.get_ifd(GPS)[1] == "N"


@pytest.mark.parametrize("tag", [256, 259, 273, 330, 347, 530, 700, 33723, 34377, 34675])
def test_tags_of_the_layout_are_dropped(tag):
    made = exif()
    made[tag] = 8
    assert tag not in read_back(exif_tags.upright(lambda: made, 7, 9))


@pytest.mark.parametrize("tag", [269, 272, 285, 305, 306, 315, 316])
def test_tags_about_the_picture_are_kept(tag):
    made = exif()
    made[tag] = "words"
    assert read_back(exif_tags.upright(lambda: made, 7, 9))[tag] == "words"


def test_nothing_but_layout_is_nothing():
    assert exif_tags.upright(lambda: tagged({256: 7, 257: 9}), 7, 9) is None
    assert exif_tags.upright(lambda: tagged({}), 7, 9) is None
    assert exif_tags.upright(damaged, 7, 9) is None


@pytest.mark.parametrize(
    ("words", "owner"),
    [
        ("ImageJ=1.54\nimages=3", "ImageJ's description"),
        ("<?xml?>\n<OME xmlns='x'>", "the description of OME"),
        ('{"shape": [3, 4]}', "tifffile's description"),
        ("Two cats on a wall", ""),
        ("a" * 3000 + "ImageJ=", ""),
    ],
)
def test_descriptions_of_pages_are_told_from_descriptions_of_pictures(words, owner):
    made = exif(t270=words)
    assert exif_tags.layout(lambda: made) == owner
    result = read_back(exif_tags.upright(lambda: made, 7, 9))
    assert (DESCRIPTION in result) == (owner == "")


def test_damaged_exif_has_no_layout_and_no_resolution():
    assert exif_tags.layout(damaged) == ""
    assert exif_tags.stated_resolution(damaged) is None


@given(st.tuples(*[st.floats(1, 1e6)] * 2))
def test_a_resolution_comes_back(dpi):
    original = exif().tobytes()
    result = read_back(exif_tags.with_resolution(original, dpi))
    stated = exif_tags.stated_resolution(lambda: result)
    assert exif_tags.resolution(stated, 1) == pytest.approx(dpi, rel=1e-4)
    assert result[MAKE] == "ACME"


@pytest.mark.parametrize("unit", [1, 3, None])
def test_a_resolution_in_other_units_is_none(unit):
    made = exif(t282=300, t283=300)
    if unit:
        made[296] = unit
    assert exif_tags.stated_resolution(lambda: made) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_across_and_down_are_exchanged_with_the_pixels(orientation):
    expected = (72, 300) if orientation >= 5 else (300, 72)
    assert exif_tags.resolution((300, 72), orientation) == expected


@pytest.mark.parametrize("dpi", [None, 5, (1,), (1, 2, 3), ("a", "b"), (None, 1)])
def test_what_is_no_pair_is_no_resolution(dpi):
    assert exif_tags.resolution(dpi, 1) is None


@pytest.mark.parametrize(
    ("dpi", "plausible"),
    [((72, 72), True), ((1, 1e6), True), ((0.9, 72), False), ((72, 1e7), False),
     ((float("nan"), 72), False)],
)  # fmt: skip
def test_resolutions_beyond_reason_are_dropped(dpi, plausible):
    assert exif_tags.plausible(dpi) == (dpi if plausible else None)


def test_exif_that_cannot_be_read_back_is_dropped():
    data = exif().tobytes()
    assert exif_tags.readable(data) == data
    assert exif_tags.readable(b"Exif\0\0XX" + bytes(9)) is None
    assert exif_tags.readable(None) is None
