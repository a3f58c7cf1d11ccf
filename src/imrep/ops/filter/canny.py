"""Canny's edges by OpenCV, on bytes.

J. Canny, "A computational approach to edge detection", IEEE Trans. PAMI 8(6), 1986.
doi:10.1109/TPAMI.1986.4767851
"""

import math
from typing import Any

import cv2
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep import checks
from imrep.errors import BadParameter

MAX_SIGMA = 30.0  # standard deviation of the blur before, in pixels

Levels = NDArray[Any]  # uint8 (height, width)


def check_slopes(low: float, high: float, caller: str) -> None:
    """Refuse thresholds that are negative, reversed or not finite."""
    checks.at_least(low, 0, caller, "low")
    if not low <= high < math.inf:
        raise BadParameter(
            f"{caller} needs low of at most high, both finite, got low={low}, high={high}. "
            "Exchange them."
        )


def levels(pixels: Tensor, sigma: float = 0.0) -> Levels:
    """Gray bytes of one image (1|3, height, width), blurred by a Gaussian where sigma > 0."""
    pixels = pixels.detach().cpu()
    if pixels.dtype not in (torch.float32, torch.float64):
        pixels = pixels.float()
    if len(pixels) == 1:
        gray = cv2.convertScaleAbs(pixels[0].numpy(), alpha=255)
    else:
        colours = cv2.convertScaleAbs(pixels.permute(1, 2, 0).contiguous().numpy(), alpha=255)
        gray = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    return cv2.GaussianBlur(gray, (0, 0), sigma) if sigma else gray


def edges(
    image: Tensor,
    low: float,
    high: float,
    *,
    aperture: int = 3,
    euclidean: bool = False,
    sigma: float = 0.0,
) -> Tensor:
    """1 on edges of (b, 1|3, h, w), 0 elsewhere, (b, 1, h, w), of the image's dtype and device."""
    batch, _, height, width = image.shape
    values = torch.empty(batch, 1, height, width, dtype=image.dtype)
    for plane, pixels in zip(values, image, strict=True):
        mask: Levels = cv2.Canny(levels(pixels, sigma), low, high, None, aperture, euclidean)
        plane[0] = torch.from_numpy(mask & 1)  # 255 becomes 1, while the mask is in the cache
    return values.to(image.device)
