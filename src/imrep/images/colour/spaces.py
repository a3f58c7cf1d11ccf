"""Conversion to sRGB from transfer curves and primaries, at full depth.

A colour space is a curve for each channel, from samples to linear light, and a matrix to the
linear light of sRGB's primaries. PNG's gAMA, cHRM and cICP and most ICC profiles describe one.
Profiles with lookup tables are left to LittleCMS, which Pillow binds for 8 bits only.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Curve = Callable[[NDArray[np.float32]], NDArray[np.float32]]

_D50 = (0.9642, 1.0, 0.8249)  # the white of ICC's connection space, XYZ
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # white, red, green, blue: x, y
_WHITE_NITS = 203.0  # of diffuse white in HDR images (ITU-R BT.2408)


@dataclass(frozen=True)
class ColourSpace:
    """Samples in [0, 1] to linear light: a curve for each channel, then a matrix to sRGB's."""

    curves: tuple[Curve, ...]
    matrix: NDArray[np.float64] | None = None

    def to_srgb(self, colours: NDArray[np.float32]) -> NDArray[np.float32]:
        """(h, w, 1|3) in [0, 1] as sRGB, clipped to its gamut."""
        curves = self.curves * colours.shape[2] if len(self.curves) == 1 else self.curves
        light = np.stack([curve(colours[..., i]) for i, curve in enumerate(curves)], axis=2)
        if self.matrix is not None and light.shape[2] == 3:
            light = light @ self.matrix.T.astype(np.float32)
        return srgb_from_light(light)


def srgb_from_light(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """The transfer function of IEC 61966-2-1; light is clipped to [0, 1]."""
    light = np.clip(light, 0, 1, dtype=np.float32)
    bright = 1.055 * np.power(light, np.float32(1 / 2.4)) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, bright).astype(np.float32)


def light_from_srgb(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of `srgb_from_light`."""
    bright = np.power((colours + 0.055) / 1.055, 2.4)
    return np.where(colours <= 0.04045, colours / 12.92, bright).astype(np.float32)


def by_gamma(exponent: float) -> Curve:
    """Samples to a power."""
    return lambda x: np.power(np.clip(x, 0, None), np.float32(exponent)).astype(np.float32)


def srgb_from_lab(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIELAB (h, w, 3), L 0 to 100, a and b about -128 to 127, of white D50, as sRGB."""
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=2)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * np.array(_D50)
    return srgb_from_light((xyz @ _from_d50().T).astype(np.float32))


def matrix_of(primaries: tuple[float, ...]) -> NDArray[np.float64] | None:
    """The matrix from linear light of these primaries (x, y of white, red, green, blue) to sRGB's.

    None where they are sRGB's, or do not span a triangle.
    """
    # Files state chromaticities in few digits.
    if np.abs(np.subtract(primaries, SRGB_PRIMARIES)).max() < 2e-3:
        return None
    try:
        return np.asarray(_from_d50() @ _to_d50(primaries))
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None


@lru_cache(maxsize=64)  # by the profile's bytes: a folder has few
def of_profile(profile: bytes, channels: int) -> ColourSpace | None:
    """The colour space of a profile made of curves and a matrix; None for other profiles."""
    try:
        tags = _icc_tags(profile, channels)
        if tags is None:
            return None
        if channels == 1:
            return ColourSpace((_icc_curve(tags[b"kTRC"]),))
        curves = tuple(_icc_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        columns = [_icc_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        return ColourSpace(curves, _from_d50() @ np.array(columns).T)
    except (KeyError, struct.error, ValueError, IndexError, ZeroDivisionError):
        return None


def of_code_points(primaries: int, transfer: int) -> ColourSpace | None:
    """The colour space of ITU-T H.273's code points, as in cICP; None for sRGB and unknown codes.

    Linear light of HDR images is divided by that of diffuse white; brighter values are clipped.
    """
    curve = _TRANSFERS.get(transfer)
    matrix = matrix_of(_PRIMARIES.get(primaries, SRGB_PRIMARIES))
    if curve is None and matrix is None:
        return None
    return ColourSpace((curve or light_from_srgb,), matrix)


def supports(primaries: int, transfer: int) -> bool:
    """Whether `of_code_points` covers these codes, sRGB's included; H.273 lists more."""
    return primaries in (1, *_PRIMARIES) and transfer in (13, *_TRANSFERS)


def _to_d50(primaries: tuple[float, ...]) -> NDArray[np.float64]:
    """The matrix from linear light of the primaries to XYZ under D50 (Bradford adaptation)."""
    points = zip(primaries[::2], primaries[1::2], strict=True)
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in points])
    white, rgb = columns[0], columns[1:].T
    # Primaries are scaled so that equal amounts add up to white, which is then adapted to D50:
    # Bradford's cone responses are multiplied by the ratio of those of both whites.
    scaled = rgb * np.linalg.solve(rgb, white)
    cone = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    return np.asarray(np.linalg.inv(_BRADFORD) @ cone @ _BRADFORD @ scaled)


@lru_cache(maxsize=1)
def _from_d50() -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(_to_d50(SRGB_PRIMARIES)))


def _icc_tags(profile: bytes, channels: int) -> dict[bytes, bytes] | None:
    """The tags of a matrix profile for that many channels with XYZ connection space, else None."""
    # A header of 128 bytes, the number of tags, and 12 bytes for each (ICC.1:2022, 7.2 and 7.3).
    space, connection = profile[16:20], profile[20:24]
    if space != {1: b"GRAY", 3: b"RGB "}[channels] or connection != b"XYZ ":
        return None
    (count,) = struct.unpack_from(">I", profile, 128)
    # A damaged profile may state billions.
    if count > 100:
        return None
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
    tags = {name: profile[offset : offset + size] for name, offset, size in entries}
    # Lookup tables have precedence over the matrix.
    return None if any(name in tags for name in (b"A2B0", b"A2B1", b"D2B0", b"D2B1")) else tags


def _icc_xyz(tag: bytes) -> tuple[float, ...]:
    # s15Fixed16Number, after the type and four reserved bytes.
    return tuple(n / 65536 for n in struct.unpack_from(">3i", tag, 8))


def _icc_curve(tag: bytes) -> Curve:
    """A gamma, a table or one of the five parametric forms of ICC.1:2022, 10.18."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return lambda x: x
        table = np.array(struct.unpack_from(f">{count}H", tag, 12))
        if count == 1:
            return by_gamma(table[0] / 256)
        steps = np.linspace(0, 1, count)
        return lambda x: np.interp(x, steps, table / 65535).astype(np.float32)
    if tag[:4] != b"para":
        raise ValueError("a curve of an unknown type")
    (form,) = struct.unpack_from(">H", tag, 8)
    count = (1, 3, 4, 5, 7)[form]
    # Every form is written as the last: (a x + b)^g + e from d on, c x + f below.
    g, *params = (n / 65536 for n in struct.unpack_from(f">{count}i", tag, 12))
    a, b, c, d, e, f = {
        0: lambda: (1, 0, 0, -1, 0, 0),
        1: lambda: (*params, 0, -params[1] / params[0], 0, 0),
        2: lambda: (*params[:2], 0, -params[1] / params[0], params[2], params[2]),
        3: lambda: (*params, 0, 0),
        4: lambda: tuple(params),
    }[form]()
    return lambda x: np.where(
        x >= d, np.power(np.clip(a * x + b, 0, None), g) + e, c * x + f
    ).astype(np.float32)


def _light_from_bt709(x: NDArray[np.float32]) -> NDArray[np.float32]:
    bright = np.power((x + 0.099) / 1.099, 1 / 0.45)
    return np.where(x < 0.081, x / 4.5, bright).astype(np.float32)


def _light_from_pq(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """SMPTE ST 2084: 1 is 10,000 nits."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = np.power(x.astype(np.float64), 1 / m2)
    light = np.power(np.clip(root - c1, 0, None) / (c2 - c3 * root), 1 / m1)
    return (light * 10_000 / _WHITE_NITS).astype(np.float32)


def _light_from_hlg(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """ARIB STD-B67 on a display of 1,000 nits, its gamma applied to each channel."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(x <= 0.5, x**2 / 3, (np.exp((x - c) / a) + b) / 12)
    return (np.power(scene, 1.2) * 1_000 / _WHITE_NITS).astype(np.float32)


# ITU-T H.273, table 3.
_TRANSFERS: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 14, 15), _light_from_bt709),
    4: by_gamma(2.2),
    5: by_gamma(2.8),
    8: lambda x: x,
    16: _light_from_pq,
    18: _light_from_hlg,
}
# ITU-T H.273, table 2: white, red, green, blue.
_PRIMARIES = {
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),  # BT.470 System M
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),  # BT.470 System B, G
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),  # BT.601 525
    7: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),  # SMPTE 240M
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),  # BT.2020
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),  # DCI-P3
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),  # Display P3
}
