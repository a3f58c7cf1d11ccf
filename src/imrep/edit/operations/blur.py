"""Gaussian blur."""

from torch import Tensor

from imrep import checks
from imrep.ops.filter.gaussian import gaussian, smooth
from imrep.ops.filter.strips import by_rows
from imrep.types import Image

_TRUNCATE = 4  # standard deviations at which the kernel ends
_MAX_SIGMA = 100


def blur(image: Image, *, sigma: float = 2.0) -> Image:
    """Gaussian blur: the mean of a pixel's neighbourhood, weighted by distance.

    The kernel is sampled, truncated at four standard deviations and normalised to sum one; borders
    mirror the image without repeating its edge. Wide kernels are not approximated.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        sigma: Standard deviation in pixels, 0 to 100; below 0.125 the kernel is one pixel.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: Sigma is out of its range.

    References:
        J. J. Koenderink, "The structure of images", Biological Cybernetics 50, 1984.
        doi:10.1007/BF00336961
    """
    checks.image(image, "blur")
    checks.between(sigma, 0, _MAX_SIGMA, "blur", "sigma")
    weights = gaussian(sigma, round(_TRUNCATE * sigma)) if sigma else [1.0]

    def blur_rows(rows: Tensor) -> Tensor:
        return smooth(rows, weights).clamp(0, 1)

    return by_rows(image, len(weights) // 2, blur_rows)
