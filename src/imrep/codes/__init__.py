"""The few shapes a code can have.

A code is a frozen dataclass of tensors whose first axis is the batch. Consumers (files of
codes, drawings, poolings) know these kinds, never the representations that produce them. `size` is
the height and width of the image in pixels: without it a code could not be inverted.
"""

from imrep.codes.code import Code
from imrep.codes.maps import Fields, Grid, Map, Pyramid, Tokens, Vector, Warp
from imrep.codes.points import Points
from imrep.codes.regions import Regions
from imrep.codes.spectrum import Spectrum
from imrep.codes.views import Views, side_by_side

__all__ = [
    "Code",
    "Fields",
    "Grid",
    "Map",
    "Points",
    "Pyramid",
    "Regions",
    "Spectrum",
    "Tokens",
    "Vector",
    "Views",
    "Warp",
    "side_by_side",
]
