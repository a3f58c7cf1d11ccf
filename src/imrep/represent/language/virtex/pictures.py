"""What a decoder is aligned with, word by word, over the image."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.drawing import montage, sequential
from imrep.drawing.colormaps import stretch
from imrep.ops.colour import luminance
from imrep.ops.resize import resize
from imrep.types import Image, Picture

_TILE_PX = 192  # longer side of a tile
_LABEL_PX, _FONT_PX, _MARGIN_PX = 24, 15, 5
_OPACITY = (0.15, 0.75)  # of the colours over the image, of the smallest and the largest weight


Word = tuple[str, Tensor]  # and its weights (h, w)


def draw_words(
    words: Sequence[Sequence[Word]], size: tuple[int, int], image: Image | None
) -> Picture:
    """A tile for every word of each image's caption, (b, 3, rows, columns), on white.

    Args:
        words: Of each image.
        size: Height and width of the images.
        image: (b, 1|3, height, width); None for the weights alone.
    """
    images = [None] * len(words) if image is None else image.split(1)
    pictures = [_montage(own, size, each) for own, each in zip(words, images, strict=True)]
    rows, columns = (max(p.shape[axis] for p in pictures) for axis in (2, 3))
    padded = [
        F.pad(p, (0, columns - p.shape[3], 0, rows - p.shape[2]), value=1.0) for p in pictures
    ]
    return torch.cat(padded)


def _montage(words: Sequence[Word], size: tuple[int, int], image: Image | None) -> Picture:
    """The tiles of one image, (1, 3, rows, columns): each word below its weights."""
    factor = _TILE_PX / max(size)
    height, width = (max(1, round(factor * side)) for side in size)
    background = None
    if image is not None:
        background = resize(luminance(image.detach().float()), height, width).clamp(0, 1)
    tiles = []
    for word, weights in words or [("(no words)", torch.zeros(1, 1))]:
        values = stretch(weights.detach().float()[None, None])
        values = F.interpolate(values, (height, width), mode="bilinear", align_corners=False)
        tile = sequential(values)
        if background is not None:
            low, high = _OPACITY
            tile = background.lerp(tile, low + (high - low) * values)
        tiles.append(torch.cat([tile, _label(word, width).to(tile)], 2))
    return montage(tiles).clamp(0, 1)


def _label(word: str, width: int) -> Picture:
    """A word in black on white, (1, 3, rows, width); a long one is cut by an ellipsis."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(_FONT_PX)
    canvas = Pillow.new("L", (width, _LABEL_PX), 255)
    limit, text = width - 2 * _MARGIN_PX, word
    while len(text) > 1 and font.getlength(text) > limit:
        text = text.rstrip("…")[:-1] + "…"
    ImageDraw.Draw(canvas).text((width / 2, _LABEL_PX / 2), text, 0, font, anchor="mm")
    pixels = torch.from_numpy(np.array(canvas)).float() / 255
    return pixels.expand(1, 3, -1, -1)
