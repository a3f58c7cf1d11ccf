"""Dilation."""

from imrep import checks
from imrep.ops.morphology import operators
from imrep.ops.morphology.elements import SHAPES, structuring_element
from imrep.types import Image


def dilate(image: Image, *, size: int = 5, shape: str = "ellipse") -> Image:
    """The maximum under a structuring element: bright areas grow.

    The element is reflected, as in textbooks (OpenCV does not, which differs at even sizes). Pixels
    outside the image are ignored. Channels are independent, and gray values stay exact.

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
    checks.image(image, "dilate")
    checks.between(size, 1, 255, "dilate", "size")
    checks.one_of(shape, SHAPES, "dilate", "shape")
    return operators.dilate(image, structuring_element(shape, size, size)).clamp_(0, 1)
