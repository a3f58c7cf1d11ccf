"""The picture of one layer."""

from dataclasses import replace

from imrep.codes import Code, Map
from imrep.drawing import draw
from imrep.types import Image, Picture

_PICTURED = 64  # maps


def strongest_maps(code: Code, image: Image | None) -> Picture:
    """The 64 maps that vary most, strongest first; of another code its own picture."""
    if not isinstance(code, Map):
        return draw(code, image)
    values = code.values.detach()
    spread = values.flatten(2).std(2, correction=0).mean(0)
    strongest = values[:, spread.argsort(descending=True)[:_PICTURED]]
    return draw(replace(code, values=strongest, signed=bool((strongest < 0).any())))
