"""Heat: values at positions of an image, over the image."""

import torch.nn.functional as F
from torch import Tensor

from imrep.drawing.colormaps import sequential
from imrep.ops.colour import luminance
from imrep.types import Image, Picture


def heat(values: Tensor, image: Image) -> Picture:
    """A map (b, 1, h, w), enlarged, its colours blended with the luminance of (b, 1|3, H, W)."""
    enlarged = F.interpolate(values.detach(), image.shape[2:], mode="bilinear", align_corners=False)
    return (sequential(enlarged) + luminance(image.detach())) / 2
