"""Picture of fields: the greatest confidence as a heat map."""

import torch.nn.functional as F

from imrep.codes import Fields
from imrep.drawing.colormaps import sequential
from imrep.drawing.heat import heat
from imrep.types import Image, Picture


def draw_fields(code: Fields, image: Image | None = None) -> Picture:
    """The greatest confidence in each cell, over the image's luminance."""
    confidence = code.confidence.detach().amax(1, keepdim=True)
    if image is not None:
        return heat(confidence, image)
    enlarged = F.interpolate(confidence, code.size, mode="bilinear", align_corners=False)
    return sequential(enlarged)
