"""Dilation."""

from imrep import checks
from imrep.ops.morphology import operators
from imrep.ops.morphology.elements import SHAPES, structuring_element
from imrep.types import Image


def dilate(image: Image, *, size: int = 5, shape: str = "ellipse") -> Image:
    """Each pixel the greatest value under a structuring element: bright areas grow.

    The element is turned round, as in textbooks (OpenCV leaves it, which differs at even sizes);
    what lies outside the image is ignored. Each channel for itself. Gray values stay exact.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        size: Side of the element in pixels, 1 to 255; its origin is at size // 2.
        shape: rect, cross, ellipse, diagonal or antidiagonal.

    Raises:
        BadImage: If it is no batch of images.
        BadParameter: If size or shape is none of these.

    References:
        J. Serra, "Image Analysis and Mathematical Morphology", Academic Press, 1982.
    """
    checks.image(image, "dilate")
    checks.between(size, 1, 255, "dilate", "size")
    checks.one_of(shape, SHAPES, "dilate", "shape")
    return operators.dilate(image, structuring_element(shape, size, size)).clamp_(0, 1)
