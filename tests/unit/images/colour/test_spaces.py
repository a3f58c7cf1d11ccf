"""Transfer curves and primaries: by their inverses, the standards' numbers and LittleCMS."""

import io
import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from imrep.images.colour import spaces

D50_XYZ = (0.9642, 1.0, 0.8249)
SRGB_COLUMNS = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.7141),
)
BT2020 = (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046)
RAMP = np.linspace(0, 1, 256, dtype=np.float32)


def fixed(*numbers):
    return struct.pack(f">{len(numbers)}i", *(round(n * 65536) for n in numbers))


def parametric(form, *numbers):
    return b"para\0\0\0\0" + struct.pack(">HH", form, 0) + fixed(*numbers)


def table(*numbers):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(numbers)}H", len(numbers), *numbers)


def profile(tags, space=b"RGB "):
    """An ICC profile of version 4 with these tags, each at a multiple of four bytes."""
    start, entries, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        entries += struct.pack(">4sII", name, start + len(body), len(content))
        body += content.ljust(-(-len(content) // 4) * 4, b"\0")
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"none", 0x04200000, b"mntr", space, b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + fixed(*D50_XYZ)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + body


def matrix_profile(curve, columns=SRGB_COLUMNS):
    xyz = [b"XYZ \0\0\0\0" + fixed(*column) for column in columns]
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    return profile(dict(zip(names, [*xyz, curve, curve, curve], strict=True)))


def test_srgb_and_light_are_inverses_that_rise():
    light = spaces.light_from_srgb(RAMP)
    np.testing.assert_allclose(spaces.srgb_from_light(light), RAMP, atol=1e-6)
    assert (np.diff(light) > 0).all() and light[0] == 0 and light[-1] == pytest.approx(1)
    assert spaces.light_from_srgb(np.float32(0.5)) == pytest.approx(0.21404, abs=1e-5)
    assert spaces.light_from_srgb(np.float32(0.04)) == pytest.approx(0.04 / 12.92)


def test_light_out_of_gamut_is_clipped():
    assert spaces.srgb_from_light(np.float32([-1, 3])) == pytest.approx([0, 1])


def test_lab_is_that_of_littlecms():
    rgb = np.array(list(itertools.product((40, 120, 200), repeat=3)), np.uint8)[None]
    lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    stored = np.asarray(ImageCms.applyTransform(Image.fromarray(rgb), lab)).astype(np.int8)
    lightness = stored[..., :1].view(np.uint8).astype(np.float32) * 100 / 255
    numbers = np.concatenate([lightness, stored[..., 1:].astype(np.float32)], 2)
    assert np.abs(spaces.srgb_from_lab(numbers) * 255 - rgb).max() < 4  # a and b are rounded


@given(st.floats(0, 100))
def test_lab_without_colour_is_gray(lightness):
    rgb = spaces.srgb_from_lab(np.float32([[[lightness, 0, 0]]]))[0, 0]
    assert np.ptp(rgb) < 2e-3
    assert rgb.min() >= 0 and rgb.max() <= 1


def test_bt2020_is_the_matrix_of_bt2087():
    expected = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    np.testing.assert_allclose(spaces.matrix_of(BT2020), expected, atol=2e-3)


@pytest.mark.parametrize("code", [4, 5, 6, 7, 9, 11, 12])
def test_every_white_stays_white(code):
    matrix = spaces.of_code_points(code, 8).matrix
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-3)
    assert not np.allclose(matrix, np.eye(3), atol=1e-2)


def test_primaries_of_srgb_or_of_no_triangle_have_no_matrix():
    assert spaces.matrix_of(spaces.SRGB_PRIMARIES) is None
    assert spaces.matrix_of((0.3127, 0.329, 0.64, 0, 0.3, 0.6, 0.15, 0.06)) is None
    assert spaces.matrix_of((0.3127, 0.329, *(0.25, 0.25) * 3)) is None


@pytest.mark.parametrize(
    ("transfer", "signal", "light"),
    [
        (1, 0.081, 0.018),
        (1, 0.5, 0.25959),
        (4, 0.5, 0.5**2.2),
        (5, 0.5, 0.5**2.8),
        (8, 0.3, 0.3),
        (16, 0.58069, 1),  # PQ: diffuse white, 203 nits
        (16, 0.50808, 100 / 203),
        (18, 0.75, 1),  # HLG: the same by BT.2408
    ],
)
def test_transfer_functions_are_those_of_the_standards(transfer, signal, light):
    curve = spaces.of_code_points(1, transfer).curves[0]
    assert float(curve(np.float32([signal]))[0]) == pytest.approx(light, abs=3e-3)


@pytest.mark.parametrize("transfer", [1, 4, 5, 8, 16, 18])
def test_transfer_functions_rise_from_black(transfer):
    light = spaces.of_code_points(1, transfer).curves[0](RAMP)
    assert (np.diff(light) >= 0).all() and light[0] == pytest.approx(0, abs=1e-4)


def test_code_points_of_srgb_and_unknown_ones_convert_nothing():
    assert spaces.of_code_points(1, 13) is None
    assert spaces.of_code_points(200, 200) is None
    assert spaces.supports(1, 13) and spaces.supports(9, 16)
    assert not spaces.supports(1, 200) and not spaces.supports(200, 13)


CURVES = {
    "identity": table(),
    "gamma 1.8": table(round(1.8 * 256)),
    "table": table(*(round(65535 * (i / 15) ** 1.7) for i in range(16))),
    "form 0": parametric(0, 2.4),
    "form 1": parametric(1, 2.0, 1.1, -0.2),
    "form 2": parametric(2, 2.0, 1.1, -0.2, 0.05),
    "form 3": parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "form 4": parametric(4, 2.2, 0.9, 0.05, 0.2, 0.1, 0.02, 0.01),
}


@pytest.mark.parametrize("name", CURVES)
def test_profiles_of_curves_convert_as_littlecms_does(name):
    data = matrix_profile(CURVES[name], SRGB_COLUMNS[1:] + SRGB_COLUMNS[:1])
    colours = np.array(list(itertools.product(range(0, 256, 51), repeat=3)), np.uint8)[None]
    change = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(data)),
        ImageCms.createProfile("sRGB"),
        *("RGB", "RGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,  # perceptual would lift black as well
    )
    expected = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), change), float)
    space = spaces.of_profile(data, 3)
    converted = space.to_srgb(colours.astype(np.float32) / 255) * 255
    assert np.abs(converted - expected).max() <= 3


def test_a_gray_profile_needs_its_curve_alone():
    data = profile({b"kTRC": table(2 * 256)}, b"GRAY")
    space = spaces.of_profile(data, 1)
    gray = RAMP[None, :, None]
    np.testing.assert_allclose(space.to_srgb(gray), spaces.srgb_from_light(gray**2), atol=1e-4)
    assert spaces.of_profile(data, 3) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        profile({}),
        profile({b"A2B0": b"mft2"} | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table())),
        matrix_profile(b"none" + bytes(20)),
        matrix_profile(parametric(7, 1, 1)),
        matrix_profile(parametric(1, 2, 0, 1)),  # 0 · x + 1
        matrix_profile(b"curv\0\0\0\0\xff\xff\xff\xff"),
        matrix_profile(table())[:200],
    ],
)
def test_other_profiles_have_no_space(data):
    assert spaces.of_profile(data, 3) is None


@given(st.binary(max_size=300))
def test_damaged_profiles_have_no_space(data):
    head = profile({})[:128]
    spaces.of_profile(head + data, 3)  # raises nothing
