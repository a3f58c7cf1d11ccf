"""Default pictures, one module a kind of code: RGB in [0, 1], for display only.

Unsigned values use a sequential colormap from dark to light. Signed values use a diverging one from
blue through gray to orange, so that gray always means zero.
"""

from functools import singledispatch

from imrep.codes import (
    Code,
    Fields,
    Grid,
    Map,
    Points,
    Pyramid,
    Regions,
    Spectrum,
    Tokens,
    Vector,
    Views,
)
from imrep.drawing.classes import overlay, paint, palette
from imrep.drawing.colormaps import diverging, sequential
from imrep.drawing.fields import draw_fields
from imrep.drawing.grid import draw_grid
from imrep.drawing.heat import heat
from imrep.drawing.layout import beside, enlarge, montage, stack
from imrep.drawing.map import draw_map, strongest
from imrep.drawing.points import draw_points
from imrep.drawing.pyramid import draw_pyramid
from imrep.drawing.regions import draw_regions
from imrep.drawing.spectrum import draw_spectrum
from imrep.drawing.tokens import draw_tokens
from imrep.drawing.vector import draw_vector
from imrep.types import Image, Picture

__all__ = [
    "beside",
    "diverging",
    "draw",
    "enlarge",
    "heat",
    "montage",
    "overlay",
    "paint",
    "palette",
    "sequential",
    "stack",
    "strongest",
]


@singledispatch
def draw(code: Code, image: Image | None = None) -> Picture:
    """Draw a code, over its image if one is given and the code has positions in it."""
    raise TypeError(f"there is no picture of a {type(code).__name__}")


draw.register(Vector, draw_vector)
draw.register(Map, draw_map)
draw.register(Pyramid, draw_pyramid)
draw.register(Tokens, draw_tokens)
draw.register(Points, draw_points)
draw.register(Grid, draw_grid)
draw.register(Spectrum, draw_spectrum)
draw.register(Regions, draw_regions)
draw.register(Fields, draw_fields)


@draw.register
def _(code: Views, image: Image | None = None) -> Picture:
    """The views' pictures, one above the other."""
    return stack([draw(part, image) for part in code.codes])
