"""Picture of a bilateral grid: a montage of its depths."""

from imrep.codes import Grid
from imrep.drawing.colormaps import sequential
from imrep.drawing.layout import enlarge, montage
from imrep.types import Image, Picture


def draw_grid(code: Grid, image: Image | None = None) -> Picture:
    """Depth by depth, the mean of all channels."""
    depths = code.values.detach().split(1, dim=2)
    return enlarge(montage([sequential(d.squeeze(2).mean(1, keepdim=True)) for d in depths]))
