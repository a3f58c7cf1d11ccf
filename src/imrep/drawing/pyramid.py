"""Picture of a pyramid: the finest band, the coarser ones beside it."""

from imrep.codes import Pyramid
from imrep.drawing.colormaps import diverging
from imrep.drawing.layout import beside, enlarge, stack
from imrep.types import Image, Picture


def draw_pyramid(code: Pyramid, image: Image | None = None) -> Picture:
    """The finest band on the left; the coarser ones and the low-pass stacked beside it."""
    bands = [diverging(band.detach().mean(1, keepdim=True)) for band in code.bands]
    low_pass = code.rest.detach().clamp(0, 1).expand(-1, 3, -1, -1)
    tiles = [*bands, low_pass]
    return enlarge(beside(tiles[0], stack(tiles[1:])) if len(tiles) > 1 else tiles[0])
