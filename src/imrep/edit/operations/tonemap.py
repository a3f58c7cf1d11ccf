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

# Lower limit of luminance, relative to the maximum, since black has no logarithm. The darkest value
# of 8 bits is 3e-4.
_MIN_LUMINANCE, _MIN_LUMINANCE_LINEAR = 1e-4, 1e-6
_SPACE = 0.02  # default standard deviation of distance, as a share of the longer side
_GAMMA = 2.2


def tonemap(
    image: Image,
    *,
    contrast: float = 50.0,
    sigma_space: float | None = None,
    sigma_range: float = 0.4,
    linear: bool = False,
) -> Image:
    """Tone mapping: the range of illumination is compressed and detail preserved.

    A bilateral filter of the log luminance l estimates the illumination: the base. Its range is
    multiplied by k, so that the ratio of maximum to minimum is `contrast`, or left if it is less;
    the detail l - base and the ratios of colours are unchanged. Since luminance is 10^l, each pixel
    is multiplied by 10^(k (base - max base) - base). The maximum base becomes white, and the result
    is encoded for display with a gamma of 2.2.

    Args:
        image: (b, 1|3, h, w), values in [0, 1]; with `linear`, up to 16, in any unit.
        contrast: Ratio of maximum to minimum base in the result, above 1: smaller is flatter.
        sigma_space: Standard deviation of distance, in pixels; default: 0.02 of the longer side.
        sigma_range: Standard deviation of differences in log10 luminance.
        linear: Whether values are linear in light; otherwise they are decoded from sRGB first.

    Raises:
        BadImage: The input is not a batch of images, or too large for the deviations' grid.
        BadParameter: Contrast is not above 1 and finite, or a deviation not positive and finite.

    References:
        F. Durand and J. Dorsey, "Fast bilateral filtering for the display of high-dynamic-range
        images", SIGGRAPH 2002. doi:10.1145/566654.566574
    """
    checks.image(image, "tonemap", linear=linear)
    if not 1 < contrast < math.inf:
        raise BadParameter(f"tonemap needs contrast above 1 and finite, got {contrast}.")
    space = _SPACE * max(image.shape[2:]) if sigma_space is None else sigma_space
    out = torch.empty_like(image)
    for source, target in zip(image.split(1), out.split(1), strict=True):
        log = _light(source, target, linear)
        base = bilateral_filter(log, sigma_space=space, sigma_range=sigma_range, caller="tonemap")
        _display(target, base, contrast)
    return out


def _light(image: Tensor, light: Tensor, linear: bool) -> Tensor:
    """Write the linear values of one image (1, c, h, w) into `light`; its log10 luminance."""
    log = torch.empty_like(image[:, :1])

    def convert(rows: slice) -> None:
        light[:, :, rows] = image[:, :, rows] if linear else to_light(image[:, :, rows])
        part = light[:, :, rows]
        if len(part[0]) == 3:
            red, green, blue = part.split(1, dim=1)
            part = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        log[:, :, rows] = part

    each(convert, strips(image), image)
    minimum = (_MIN_LUMINANCE_LINEAR if linear else _MIN_LUMINANCE) * float(log.max())
    return log.clamp_(min=max(minimum, torch.finfo(log.dtype).tiny)).log10_()


def _display(light: Tensor, base: Tensor, contrast: float) -> None:
    """Compress the range of `light` by its base and encode it for display, in place."""
    low, high = (float(end) for end in torch.aminmax(base))
    k = min(math.log10(contrast) / max(high - low, 1e-9), 1.0)
    measurements.record("tonemap", decades=high - low, compression=k)

    def compress(rows: slice) -> None:
        part = base[:, :, rows]
        gain = 10 ** ((k - 1) * (part - high) - high)
        light[:, :, rows] = light[:, :, rows].mul(gain).clamp_(0, 1).pow_(1 / _GAMMA)

    each(compress, strips(light), light, base)
