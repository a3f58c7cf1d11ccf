"""Picture of points: a circle for each keypoint."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep.codes import Points
from imrep.drawing.layout import DISPLAY_PX
from imrep.types import Image, Picture

_COLOUR = (240, 160, 60)
_BACKGROUND = 40  # gray level without an image


def draw_points(code: Points, image: Image | None = None) -> Picture:
    """A circle of its extent around each point, with a radius in the direction of its angle."""
    return torch.stack([_circles(code, i, image) for i in range(len(code))]).to(code.xy)


def _circles(code: Points, i: int, image: Image | None) -> Tensor:
    height, width = code.size
    if image is None:
        canvas = np.full((height, width, 3), _BACKGROUND, np.uint8)
    else:
        pixels = image[i].detach().expand(3, -1, -1).permute(1, 2, 0).float().cpu().numpy()
        canvas = np.ascontiguousarray((pixels * 255).round().clip(0, 255).astype(np.uint8))
    factor = max(1, round(DISPLAY_PX / max(height, width)))
    canvas = canvas.repeat(factor, axis=0).repeat(factor, axis=1)
    for j in code.present[i].nonzero().flatten().tolist():
        # xy counts pixel centres from 0: the enlarged pixel's centre is at (x + 1/2) factor - 1/2.
        x, y = ((code.xy[i, j].detach().double() + 0.5) * factor - 0.5).tolist()
        radius = max(2, round(float(code.extent[i, j].detach()) * factor / 2))
        angle = math.radians(float(code.angle[i, j].detach()))
        tip = round(x + radius * math.cos(angle)), round(y + radius * math.sin(angle))
        cv2.circle(canvas, (round(x), round(y)), radius, _COLOUR, 1, cv2.LINE_AA)
        cv2.line(canvas, (round(x), round(y)), tip, _COLOUR, 1, cv2.LINE_AA)
    return torch.from_numpy(canvas).permute(2, 0, 1).float() / 255
