"""Tone mapping."""

import math

import torch
from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.errors import BadParameter
from imrep.ops.bilateral.filter import bilateral_filter
from imrep.ops.colour import to_light
from imrep.ops.tiling import each, strips
from imrep.types import Image

# Of the brightest: what is less counts as this, since black has no logarithm. 8 bits end at 3e-4.
_DARKEST, _DARKEST_LINEAR = 1e-4, 1e-6
_WIDE = 0.02  # of the longer side
_GAMMA = 2.2


def tonemap(
    image: Image,
    *,
    contrast: float = 50.0,
    sigma_space: float | None = None,
    sigma_range: float = 0.4,
    linear: bool = False,
) -> Image:
    """The image with dark and bright places brought together, their detail kept.

    The logarithm of luminance, l, is smoothed between edges, which leaves the illumination: the
    base. Its range is multiplied by k so that brightest to darkest is `contrast`, or left if it is
    less; l - base, the detail, and the ratios of colours stay. Since luminance is 10^l, each pixel
    is just multiplied by 10^(k (base - max base) - base). The brightest base becomes white, and the
    result is encoded for the screen, to the power of 1 / 2.2.

    Args:
        image: (b, 1|3, h, w), values in [0, 1]; with `linear`, up to 16, in any unit.
        contrast: Brightest over darkest base in the result, above 1: the smaller, the flatter.
        sigma_space: Standard deviation of distance, in pixels; default: 0.02 of the longer side.
        sigma_range: Standard deviation of differences in log10 luminance.
        linear: Whether values are amounts of light; otherwise sRGB's curve is undone first.

    Raises:
        BadImage: If it is no batch of images, or too large for so small deviations.
        BadParameter: If contrast is not above 1 and finite, or a deviation not positive and finite.

    References:
        F. Durand and J. Dorsey, "Fast bilateral filtering for the display of high-dynamic-range
        images", SIGGRAPH 2002. doi:10.1145/566654.566574
    """
    checks.image(image, "tonemap", linear=linear)
    if not 1 < contrast < math.inf:
        raise BadParameter(f"tonemap needs contrast above 1 and finite, got {contrast}.")
    space = _WIDE * max(image.shape[2:]) if sigma_space is None else sigma_space
    out = torch.empty_like(image)
    for source, target in zip(image.split(1), out.split(1), strict=True):
        log = _light(source, target, linear)
        base = bilateral_filter(log, sigma_space=space, sigma_range=sigma_range, caller="tonemap")
        _display(target, base, contrast)
    return out


def _light(image: Tensor, light: Tensor, linear: bool) -> Tensor:
    """Fill in the light of one image (1, c, h, w), and return log10 of its luminance."""
    log = torch.empty_like(image[:, :1])

    def one(rows: slice) -> None:
        light[:, :, rows] = image[:, :, rows] if linear else to_light(image[:, :, rows])
        part = light[:, :, rows]
        if len(part[0]) == 3:
            red, green, blue = part.split(1, dim=1)
            part = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        log[:, :, rows] = part

    each(one, strips(image), image)
    darkest = (_DARKEST_LINEAR if linear else _DARKEST) * float(log.max())
    return log.clamp_(min=max(darkest, torch.finfo(log.dtype).tiny)).log10_()


def _display(light: Tensor, base: Tensor, contrast: float) -> None:
    """Multiply light by what its base asks for, and encode it."""
    low, high = (float(end) for end in torch.aminmax(base))
    k = min(math.log10(contrast) / max(high - low, 1e-9), 1.0)
    measurements.record("tonemap", decades=high - low, compression=k)

    def one(rows: slice) -> None:
        part = base[:, :, rows]
        gain = 10 ** ((k - 1) * (part - high) - high)
        light[:, :, rows] = light[:, :, rows].mul(gain).clamp_(0, 1).pow_(1 / _GAMMA)

    each(one, strips(light), light, base)
