"""Median filter."""

import cv2
import torch

from imrep import checks
from imrep.errors import BadParameter
from imrep.types import Image

_SIZES = (3, 5)  # of which OpenCV takes the median without a detour over 8 bits


def median(image: Image, *, size: int = 3, times: int = 1) -> Image:
    """Each pixel the median of the square around it: specks go, edges stay.

    Each channel for itself; the edge pixel is repeated beyond the border, as in OpenCV, which
    computes it on float32. So float64 values come out rounded to that: the median of rounded values
    is the rounded median.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        size: Side of the square in pixels, 3 or 5.
        times: How often it is done, 1 to 100; more takes away larger specks.

    Raises:
        BadImage: If it is no batch of images.
        BadParameter: If size is another, or times is out of its range.

    References:
        J. W. Tukey, "Exploratory Data Analysis", Addison-Wesley, 1977.
    """
    checks.image(image, "median")
    checks.between(times, 1, 100, "median", "times")
    if size not in _SIZES:
        raise BadParameter(
            f"median needs size to be 3 or 5, got {size}. Use times=2 and more for larger specks."
        )
    made = torch.empty(image.shape, dtype=torch.float32)
    for plane, into in zip(image.detach().flatten(0, 1), made.flatten(0, 1), strict=True):
        pixels = plane.cpu().float().contiguous().numpy()
        for _ in range(times):
            pixels = cv2.medianBlur(pixels, size, dst=into.numpy())
    return made.clamp_(0, 1).to(image)
