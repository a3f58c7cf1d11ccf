"""Picture of fields: the greatest confidence as a heat map."""

import torch.nn.functional as F

from imrep.codes import Fields
from imrep.drawing.colormaps import sequential
from imrep.types import Image, Picture


def draw_fields(code: Fields, image: Image | None = None) -> Picture:
    """The greatest confidence in each cell, blended with the image."""
    heat = sequential(code.confidence.detach().amax(1, keepdim=True))
    heat = F.interpolate(heat, code.size, mode="bilinear", align_corners=False)
    return heat if image is None else (heat + image.detach()) / 2
