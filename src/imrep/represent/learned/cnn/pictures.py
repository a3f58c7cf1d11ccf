"""Pictures of the codes of `cnn`."""

from imrep.codes import Code, Map
from imrep.drawing import draw, strongest
from imrep.types import Image, Picture


def draw_code(code: Code, image: Image | None) -> Picture:
    """The 64 maps that vary most, strongest first; of another code its own picture."""
    if not isinstance(code, Map):
        return draw(code, image)
    values = strongest(code.values.detach())
    return draw(Map(values, code.size, signed=bool((values < 0).any())))
