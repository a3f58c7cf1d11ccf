"""Colour spaces of images in [0, 1]."""

import torch
from torch import Tensor

from imrep.ops.luma import LUMA, YCBCR
from imrep.ops.tiling import each, strips

# IEC 61966-2-1 (sRGB) to XYZ of D65, each row divided by the white point's X, Y, Z.
_XYZ = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)
_LAB_HALF = 110.0  # a and b of sRGB colours lie within ±110
_LAB_KNEE = 7.787 * 0.008856 + 16 / 116  # below it the cube root is replaced by a line
_SRGB_KNEE = 0.04045  # below it the power is


def luminance(image: Tensor) -> Tensor:
    """Luma Y = 0.299 R + 0.587 G + 0.114 B, (batch, 1, height, width); gray stays as it is."""
    if image.shape[1] == 1:
        return image
    red, green, blue = image.split(1, dim=1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def with_luminance(image: Tensor, luma: Tensor) -> Tensor:
    """The image with another luma (b, 1, h, w), its chroma kept; gray becomes the luma.

    Where no colour in [0, 1] has both, Cb and Cr are scaled down together: hue and luma are kept.
    """
    luma = luma.clamp(0, 1)
    if image.shape[1] == 1:
        return luma
    out = torch.empty_like(image)
    tiny = torch.finfo(image.dtype).tiny

    def set_strip(rows: slice) -> None:
        part, target = image[:, :, rows], luma[:, :, rows]
        off = part - luminance(part)
        red, green, blue = off.split(1, dim=1)
        above = torch.maximum(torch.maximum(red, green), blue).clamp_min_(tiny)
        below = torch.minimum(torch.minimum(red, green), blue).neg_().clamp_min_(tiny)
        share = torch.minimum((1 - target) / above, target / below).clamp_(max=1)
        out[:, :, rows] = off.mul_(share).add_(target).clamp_(0, 1)

    each(set_strip, strips(image), image, luma)
    return out


def to_ycbcr(image: Tensor) -> Tensor:
    """Y in [0, 1] and Cb, Cr in [-1/2, 1/2] from RGB (b, 3, h, w); gray gets Cb = Cr = 0."""
    if image.shape[1] == 1:
        return torch.cat([image, torch.zeros_like(image), torch.zeros_like(image)], dim=1)
    return _mix(image.new_tensor(YCBCR), image)


def from_ycbcr(planes: Tensor) -> Tensor:
    """RGB (b, 3, h, w) from Y, Cb, Cr as `to_ycbcr` gives them; its exact matrix inverse."""
    matrix = torch.tensor(YCBCR, dtype=torch.float64).inverse()
    return _mix(matrix.to(planes), planes)


def to_light(srgb: Tensor) -> Tensor:
    """Linear light, in [0, 1], of sRGB values."""
    srgb = srgb.clamp(0, 1)
    power = _power(srgb.add(0.055).div_(1.055), 2.4)
    return torch.where(srgb > _SRGB_KNEE, power, srgb / 12.92)


def lightness(rgb: Tensor) -> Tensor:
    """L* / 100 of sRGB (b, 3, h, w) or gray, as in `to_lab`, (b, 1, h, w)."""
    light = to_light(rgb)
    if rgb.shape[1] == 3:
        red, green, blue = light.split(1, dim=1)
        light = _XYZ[1][0] * red + _XYZ[1][1] * green + _XYZ[1][2] * blue
    return 1.16 * _lab_curve(light) - 0.16


def to_lab(rgb: Tensor) -> Tensor:
    """CIE L*a*b* (D65) of sRGB (b, 3, h, w): L / 100, and a and b over 220, within [-1/2, 1/2]."""
    xyz = _mix(rgb.new_tensor(_XYZ), to_light(rgb))
    x, y, z = _lab_curve(xyz).unbind(1)
    half = 2 * _LAB_HALF
    return torch.stack([1.16 * y - 0.16, 500 / half * (x - y), 200 / half * (y - z)], 1)


def from_lab(lab: Tensor) -> Tensor:
    """SRGB (b, 3, h, w) of L*a*b* as `to_lab` gives them; colours out of gamut are clipped."""
    light, a, b = lab.unbind(1)
    y = (light + 0.16) / 1.16
    curve = torch.stack([y + a * (2 * _LAB_HALF / 500), y, y - b * (2 * _LAB_HALF / 200)], 1)
    xyz = torch.where(curve > _LAB_KNEE, curve**3, (curve - 16 / 116) / 7.787)
    matrix = torch.tensor(_XYZ, dtype=torch.float64).inverse().to(lab)
    linear = _mix(matrix, xyz).clamp_(0, 1)
    power = _power(linear.clamp_min(_SRGB_KNEE / 12.92), 1 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(linear > _SRGB_KNEE / 12.92, power, 12.92 * linear)


def _lab_curve(xyz: Tensor) -> Tensor:
    return torch.where(
        xyz > 0.008856, _power(xyz.clamp_min(0.008856), 1 / 3), 7.787 * xyz + 16 / 116
    )


def _power(x: Tensor, exponent: float) -> Tensor:
    """Power of x well above 0 by logarithms: twice as fast as `pow`, one digit less exact."""
    return x.log().mul_(exponent).exp_()


def _mix(matrix: Tensor, planes: Tensor) -> Tensor:
    return (matrix @ planes.flatten(2)).view_as(planes)
