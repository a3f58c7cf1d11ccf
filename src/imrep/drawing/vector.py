"""Picture of a vector: its values row by row."""

import math

import torch.nn.functional as F

from imrep.codes import Vector
from imrep.drawing.colormaps import sequential
from imrep.drawing.layout import enlarge
from imrep.types import Image, Picture


def draw_vector(code: Vector, image: Image | None = None) -> Picture:
    """Its values row by row, in a nearly square."""
    values = code.values.detach()
    columns = math.ceil(math.sqrt(values.shape[1]))
    padding = columns * math.ceil(values.shape[1] / columns) - values.shape[1]
    square = F.pad(values, (0, padding)).reshape(len(values), 1, -1, columns)
    return enlarge(sequential(square))
