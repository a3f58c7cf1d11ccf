"""Heat: values at positions of an image, over the image."""

import torch.nn.functional as F
from torch import Tensor

from imrep.drawing.colormaps import sequential
from imrep.types import Image, Picture


def heat(values: Tensor, image: Image) -> Picture:
    """A map (b, 1, h, w), enlarged and blended with the image (b, 1|3, height, width)."""
    size = image.shape[2:]
    colours = F.interpolate(sequential(values.detach()), size, mode="bilinear", align_corners=False)
    return (colours + image.detach()) / 2
