"""Colour spaces of PNG that another format cannot state: named, converted, or left alone."""

import struct

import picture_files as files
import pytest
import torch

from imrep.images.encode import png_colours

SRGB_PRIMARIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
WIDE = (31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600)


def gamma(number):
    return (b"gAMA", struct.pack(">I", number))


def primaries(numbers):
    return (b"cHRM", struct.pack(">8I", *numbers))


def code(primaries, transfer):
    return (b"cICP", bytes([primaries, transfer, 0, 1]))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ((gamma(100_000),), "gAMA"),
        ((primaries(WIDE), gamma(45_455)), "gAMA and cHRM"),
        ((code(9, 16), gamma(45_455)), "PQ (cICP)"),
        ((code(9, 18),), "HLG (cICP)"),
        ((code(12, 13),), "cICP"),
    ],
)
def test_what_a_message_calls_it(encoding, name):
    assert png_colours.name(encoding) == name
    high = "PQ" in name or "HLG" in name
    assert bool(png_colours.clipping(encoding)) == high


@pytest.mark.parametrize(
    "encoding",
    [
        (),
        (gamma(45_455),),
        (gamma(0),),
        (gamma(45_455), primaries(SRGB_PRIMARIES)),
        ((b"sRGB", b"\0"), gamma(100_000), primaries(WIDE)),  # sRGB has precedence
        ((b"gAMA", b"\0"),),
        ((b"cHRM", bytes(32)),),
        (code(1, 13), gamma(100_000)),  # cICP has precedence
    ],
)
def test_srgb_and_damaged_chunks_have_no_space(encoding):
    assert png_colours.space(encoding) is None


def test_linear_light_becomes_srgb():
    colours = torch.from_numpy(files.scene()).permute(2, 0, 1)[None].float()
    linear = torch.from_numpy(files.light(files.scene())).permute(2, 0, 1)[None].float()
    converted = png_colours.to_srgb(linear, png_colours.space((gamma(100_000),)))
    torch.testing.assert_close(converted, colours, atol=1e-4, rtol=0)
    gray = png_colours.to_srgb(linear[:, :1], png_colours.space((gamma(100_000),)))
    torch.testing.assert_close(gray, colours[:, :1], atol=1e-4, rtol=0)


def test_primaries_leave_gray_alone():
    gray = torch.linspace(0, 1, 12).reshape(1, 1, 3, 4).repeat(1, 3, 1, 1)
    space = png_colours.space((primaries(WIDE),))
    assert png_colours.to_srgb(gray, space) is None
    green = torch.tensor([0.5, 0.8, 0.5]).reshape(1, 3, 1, 1)
    red, strong, blue = png_colours.to_srgb(green, space).flatten().tolist()
    assert max(red, blue) < 0.5 < 0.8 < strong  # sRGB's green is less saturated than that one


@pytest.mark.parametrize(("code", "supported"), [((1, 13), True), ((9, 16), True), ((2, 2), False)])
def test_code_points_that_are_supported(code, supported):
    assert png_colours.is_supported(((b"cICP", bytes([*code, 0, 1])),)) == supported
    assert png_colours.is_supported(())
    assert not png_colours.is_supported(((b"cICP", bytes(3)),))
