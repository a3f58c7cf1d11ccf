"""Median filter."""

import cv2
import torch

from imrep import checks
from imrep.errors import BadParameter
from imrep.registry.signatures import renamed
from imrep.types import Image

_SIZES = (3, 5)  # OpenCV rounds to 8 bits at other sizes


@renamed(times="iterations")
def median(image: Image, *, size: int = 3, iterations: int = 1) -> Image:
    """The median of the square around each pixel: removes specks and preserves edges.

    Channels are independent; the edge pixel is repeated beyond the border, as in OpenCV, which
    computes on float32. So float64 values are rounded to float32: the median of rounded values is
    the rounded median.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        size: Side of the square in pixels, 3 or 5.
        iterations: How often the filter is applied, 1 to 100; more iterations remove larger specks.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: Size is another, or iterations is out of its range.

    References:
        J. W. Tukey, "Exploratory Data Analysis", Addison-Wesley, 1977.
    """
    checks.image(image, "median")
    checks.between(iterations, 1, 100, "median", "iterations")
    if size not in _SIZES:
        raise BadParameter(
            f"median needs size to be 3 or 5, got {size}. "
            "Use iterations=2 and more for larger specks."
        )
    filtered = torch.empty(image.shape, dtype=torch.float32)
    for plane, target in zip(image.detach().flatten(0, 1), filtered.flatten(0, 1), strict=True):
        pixels = plane.cpu().float().contiguous().numpy()
        for _ in range(iterations):
            pixels = cv2.medianBlur(pixels, size, dst=target.numpy())
    return filtered.clamp_(0, 1).to(image)
