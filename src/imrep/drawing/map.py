"""Picture of a map: a montage of its channels."""

from torch import Tensor

from imrep.codes import Map
from imrep.drawing.colormaps import diverging, sequential
from imrep.drawing.layout import enlarge, montage
from imrep.types import Image, Picture

_MAX_CHANNELS = 64


def draw_map(code: Map, image: Image | None = None) -> Picture:
    """The channels in their order, at most 64, each with a colormap over its own range."""
    channels = code.values.detach()[:, :_MAX_CHANNELS].split(1, dim=1)
    colormap = diverging if code.signed else sequential
    return enlarge(montage([colormap(channel) for channel in channels]))


def strongest(maps: Tensor) -> Tensor:
    """The channels (b, up to 64, h, w) that vary most, in falling order."""
    spread = maps.flatten(2).std(2, correction=0).mean(0)
    return maps[:, spread.argsort(descending=True)[:_MAX_CHANNELS]]
