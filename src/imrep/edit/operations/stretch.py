"""Contrast stretch."""

import warnings

from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.errors import BadParameter
from imrep.ops.histogram16 import percentiles
from imrep.types import Image


def stretch(
    image: Image, *, low: float = 2.0, high: float = 98.0, per_channel: bool = False
) -> Image:
    """Contrast stretching: low and high percentiles become black and white.

    (x - a) / (b - a) clipped to [0, 1], where `low` percent of the values lie below a and `high`
    percent below b, so that outliers cost no contrast. An image with a = b is unchanged, with a
    warning.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        low: Percentage of values that lie below the new black; 0 is the minimum.
        high: Percentage of values that lie below the new white; 100 is the maximum.
        per_channel: Whether each channel has percentiles of its own, which removes a colour cast as
            well; otherwise all channels share them, which preserves hues.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: The percentages are not in ascending order within 0 to 100.

    References:
        R. C. Gonzalez and R. E. Woods, "Digital image processing", 4th ed., Pearson, 2018,
        section 3.2. https://www.imageprocessingplace.com
    """
    checks.image(image, "stretch")
    checks.between(low, 0, 100, "stretch", "low")
    checks.between(high, 0, 100, "stretch", "high")
    if not low < high:
        raise BadParameter(f"stretch needs low below high, got low={low:g} and high={high:g}.")
    out = image.clamp(0, 1)
    parts = out.flatten(0, 1) if per_channel else out
    for i in range(len(parts)):
        _stretch(parts[i], low, high)
    return out


def _stretch(part: Tensor, low: float, high: float) -> None:
    """Stretch one image, or one channel of it, in place."""
    black, white = percentiles(part, low, high)
    measurements.record("stretch", black=black, white=white)
    if black == white:
        warnings.warn(
            f"stretch needs contrast between the percentiles {low:g} and {high:g}, got "
            f"{black:.4g} at both. It is left unchanged.",
            stacklevel=3,
        )
        return
    part.sub_(black).div_(white - black).clamp_(0, 1)
