"""Canny's edges."""

from imrep import checks
from imrep.ops.filter import canny
from imrep.types import Image


def edges(image: Image, *, low: float = 40.0, high: float = 100.0, sigma: float = 1.5) -> Image:
    """Lines one pixel thin where brightness changes most, white on black, in ONE channel.

    The image's gray bytes are blurred; a pixel stays if no neighbour across the edge is steeper; it
    is an edge if it is steeper than `high`, or than `low` and hangs together with such. OpenCV
    computes it. A colour image becomes gray, (b, 1, h, w), whose values are 0 and 1.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        low: Slope from which a pixel that hangs together with an edge is one: 4 for each of 255
            levels that a step is high.
        high: Slope from which a pixel is an edge, at least `low`. Less finds more.
        sigma: Standard deviation of the Gaussian blur before, in pixels, 0 (none) to 30. More finds
            less texture and noise.

    Raises:
        BadImage: If it is no batch of images.
        BadParameter: If low or high is negative, low above high, or sigma out of its range.

    References:
        J. Canny, "A computational approach to edge detection", IEEE Trans. PAMI 8(6), 1986.
        doi:10.1109/TPAMI.1986.4767851
    """
    checks.image(image, "edges")
    canny.check_slopes(low, high, "edges")
    checks.between(sigma, 0, canny.MAX_SIGMA, "edges", "sigma")
    return canny.edges(image, low, high, sigma=sigma)
