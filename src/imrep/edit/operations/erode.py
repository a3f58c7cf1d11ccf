"""Erosion."""

from imrep import checks
from imrep.ops.morphology import operators
from imrep.ops.morphology.elements import SHAPES, structuring_element
from imrep.types import Image


def erode(image: Image, *, size: int = 5, shape: str = "ellipse") -> Image:
    """The minimum under a structuring element: dark areas grow.

    Pixels outside the image are ignored. Channels are independent, and gray values stay exact.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        size: Side of the element in pixels, 1 to 255; its origin is at size // 2.
        shape: rect, cross, ellipse, diagonal or antidiagonal.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: Size or shape is none of these.

    References:
        J. Serra, "Image Analysis and Mathematical Morphology", Academic Press, 1982.
    """
    checks.image(image, "erode")
    checks.between(size, 1, 255, "erode", "size")
    checks.one_of(shape, SHAPES, "erode", "shape")
    return operators.erode(image, structuring_element(shape, size, size)).clamp_(0, 1)
