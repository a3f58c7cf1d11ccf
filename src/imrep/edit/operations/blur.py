"""Gaussian blur."""

from torch import Tensor

from imrep import checks
from imrep.ops.filter.gaussian import gaussian, smooth
from imrep.ops.filter.strips import by_rows
from imrep.types import Image

_WIDTH = 4  # standard deviations at which the Gaussian ends
_WIDEST = 100


def blur(image: Image, *, sigma: float = 2.0) -> Image:
    """Each pixel the mean of its neighbours, weighted by a Gaussian of their distance.

    The Gaussian is sampled, ends at four standard deviations and has sum one; borders mirror the
    image without repeating its edge. It is exact at any width: nothing is shrunk on the way.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        sigma: Standard deviation in pixels, 0 to 100; below 0.125 it reaches no neighbour.

    Raises:
        BadImage: If it is no batch of images.
        BadParameter: If sigma is out of its range.

    References:
        J. J. Koenderink, "The structure of images", Biological Cybernetics 50, 1984.
        doi:10.1007/BF00336961
    """
    checks.image(image, "blur")
    checks.between(sigma, 0, _WIDEST, "blur", "sigma")
    weights = gaussian(sigma, round(_WIDTH * sigma)) if sigma else [1.0]

    def work(rows: Tensor) -> Tensor:
        return smooth(rows, weights).clamp(0, 1)

    return by_rows(image, len(weights) // 2, work)
