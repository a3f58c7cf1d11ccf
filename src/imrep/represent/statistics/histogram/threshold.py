"""Otsu's threshold of a gray image's histogram."""

import cv2
from jaxtyping import Float
from torch import Tensor

from imrep import checks
from imrep.ops.filter import canny
from imrep.types import Image


def otsu(image: Image) -> Float[Tensor, " batch"]:
    """Otsu's threshold: the gray level that best separates each image into dark and light.

    The level t of 256 with the greatest between-class variance w₀(t) w₁(t) (μ₀(t) - μ₁(t))², where
    w are the shares of the pixels up to t and above it, and μ their means. Computed by OpenCV
    (THRESH_OTSU, on cvtColor's gray bytes). The light pixels are `luminance > otsu(image)`.

    Args:
        image: (batch, 1|3, height, width), values in [0, 1].

    Returns:
        Thresholds in [0, 1], in whole 255ths.

    Raises:
        BadImage: If `image` is not a batch of images.

    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Systems, Man
    and Cybernetics 9(1), 1979. doi:10.1109/TSMC.1979.4310076

    Example:
        >>> import torch
        >>> image = torch.tensor([0.1, 0.2, 0.8, 0.9]).expand(1, 1, 3, 4)
        >>> round(float(otsu(image)), 1)
        0.2
    """
    checks.image(image, "otsu")
    method = cv2.THRESH_BINARY + cv2.THRESH_OTSU
    levels = [cv2.threshold(canny.levels(each), 0, 255, method)[0] for each in image]
    return image.new_tensor(levels) / 255
