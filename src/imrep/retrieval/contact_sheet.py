"""A contact sheet of what a search gave: thumbnails in their order, with scores and names."""

import math
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from imrep import images
from imrep.errors import BadFile
from imrep.images import Reading
from imrep.retrieval.ranking import Hit
from imrep.types import Picture

__all__ = ["draw"]

_TILE_PX = (224, 168)  # width and height of a thumbnail
_GAP_PX, _LINE_PX = 14, 20
_MAX_COLUMNS = 6
_INK, _FAINT, _GROUND, _ACCENT = (30, 30, 30), (120, 120, 120), (244, 244, 242), (0, 110, 180)
_Write = Callable[[tuple[float, float], str, tuple[int, int, int], int], None]


def draw(title: str, sentence: str, hits: Sequence[Hit], reading: Reading) -> Picture:
    """The sheet, (1, 3, rows, columns).

    Hits above what unrelated pictures score are framed; below the thumbnail stand the rank, the
    score, and the share of unrelated pictures that score as much.

    Args:
        title: The query.
        sentence: The verdict.
        hits: In their order.
        reading: How their files become pixels.
    """
    columns = max(2, min(_MAX_COLUMNS, math.ceil(math.sqrt(1.4 * len(hits)))))
    width = columns * (_TILE_PX[0] + _GAP_PX) + _GAP_PX
    lines = _wrapped(sentence, width - 2 * _GAP_PX)
    top = _GAP_PX + 30 + _LINE_PX * len(lines) + _GAP_PX
    row_px = _TILE_PX[1] + 2 * _LINE_PX + _GAP_PX
    sheet = Image.new("RGB", (width, top + math.ceil(len(hits) / columns) * row_px), "white")
    canvas = ImageDraw.Draw(sheet)

    def write(xy: tuple[float, float], text: str, ink: tuple[int, int, int], size: int) -> None:
        canvas.text(xy, text, fill=ink, font=_font(size))

    write((_GAP_PX, _GAP_PX), _fitted(title, width - 2 * _GAP_PX, 22), _INK, 22)
    for number, line in enumerate(lines):
        write((_GAP_PX, _GAP_PX + 32 + number * _LINE_PX), line, _FAINT, 14)
    for number, hit in enumerate(hits):
        left = _GAP_PX + number % columns * (_TILE_PX[0] + _GAP_PX)
        upper = top + number // columns * row_px
        sheet.paste(_thumbnail(hit, reading), (left, upper))
        if hit.above:
            box = (left - 2, upper - 2, left + _TILE_PX[0] + 1, upper + _TILE_PX[1] + 1)
            canvas.rectangle(box, outline=_ACCENT, width=2)
        _caption(write, number, hit, left, upper + _TILE_PX[1] + 4)
    pixels = torch.from_numpy(np.array(sheet)).permute(2, 0, 1)[None]
    return pixels.float() / 255


def _caption(write: _Write, number: int, hit: Hit, left: int, upper: int) -> None:
    """Rank and score on one line, the name below."""
    share = f"{100 * hit.unrelated:.0f} %"
    score = f"{number + 1}    {hit.score:.3f}"
    write((left, upper), score, _ACCENT if hit.above else _INK, 15)
    text = f"{share} of unrelated"
    write((left + _TILE_PX[0] - _font(12).getlength(text), upper + 2), text, _FAINT, 12)
    name = PurePosixPath(hit.path).name
    write((left, upper + _LINE_PX), _fitted(name, _TILE_PX[0], 12), _FAINT, 12)


def _thumbnail(hit: Hit, reading: Reading) -> Image.Image:
    """The complete image inside the tile; gray where it can no longer be read."""
    tile = Image.new("RGB", _TILE_PX, _GROUND)
    try:
        image = images.read(hit.item.read(), longest=2 * max(_TILE_PX), **reading.keywords)
    except BadFile:
        return tile
    pixels = (image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    picture = Image.fromarray(pixels)
    factor = min(_TILE_PX[0] / picture.width, _TILE_PX[1] / picture.height)
    size = (max(1, round(factor * picture.width)), max(1, round(factor * picture.height)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    tile.paste(picture, ((_TILE_PX[0] - size[0]) // 2, (_TILE_PX[1] - size[1]) // 2))
    return tile


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fitted(text: str, width: float, size: int) -> str:
    """The text in characters that the font has, its middle left out where it is too long."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    if _font(size).getlength(text) <= width:
        return text
    for count in range(len(text), 1, -1):
        half = count // 2
        short = f"{text[: count - half]}...{text[-half:]}"
        if _font(size).getlength(short) <= width:
            return short
    return ""


def _wrapped(text: str, width: float) -> list[str]:
    """The text in lines of that width."""
    lines, line = [], ""
    for word in text.encode("latin-1", "replace").decode("latin-1").split():
        longer = f"{line} {word}".strip()
        if line and _font(14).getlength(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]
