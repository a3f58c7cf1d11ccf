"""Canny's edges."""

from imrep import checks
from imrep.ops.filter import canny
from imrep.types import Image


def edges(image: Image, *, low: float = 40.0, high: float = 100.0, sigma: float = 1.5) -> Image:
    """Canny's edges: lines one pixel thin, white on black, in ONE channel.

    The image's gray 8-bit values are blurred and their slopes computed. Non-maximum suppression
    keeps the pixels that are steepest across the edge; those above `high` are edges, and those
    above `low` that are connected to them. OpenCV computes it. A colour image becomes gray,
    (b, 1, h, w), whose values are 0 and 1.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        low: Slope from which a pixel that is connected to an edge is one itself. A step of one of
            255 levels has slope 4.
        high: Slope from which a pixel is an edge, at least `low`. Lower values detect more edges.
        sigma: Standard deviation of the Gaussian blur before, in pixels, 0 (none) to 30. Higher
            values detect less texture and noise.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: Low or high is negative, low is above high, or sigma is out of its range.

    References:
        J. Canny, "A computational approach to edge detection", IEEE Trans. PAMI 8(6), 1986.
        doi:10.1109/TPAMI.1986.4767851
    """
    checks.image(image, "edges")
    canny.check_slopes(low, high, "edges")
    checks.between(sigma, 0, canny.MAX_SIGMA, "edges", "sigma")
    return canny.edges(image, low, high, sigma=sigma)
