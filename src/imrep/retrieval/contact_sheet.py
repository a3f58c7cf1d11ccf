"""A contact sheet of what a search gave: thumbnails in their order, with scores and names."""

import math
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from imrep import images
from imrep.datasets import Item
from imrep.errors import BadFile
from imrep.images import Reading
from imrep.retrieval.ranking import Hit
from imrep.types import Picture

__all__ = [
    "ACCENT",
    "FAINT",
    "GAP_PX",
    "INK",
    "LINE_PX",
    "TILE_PX",
    "draw",
    "fitted",
    "font",
    "thumbnail",
    "wrapped",
]

TILE_PX = (224, 168)  # width and height of a thumbnail
GAP_PX, LINE_PX = 14, 20
_MAX_COLUMNS = 6
INK, FAINT, _GROUND, ACCENT = (30, 30, 30), (120, 120, 120), (244, 244, 242), (0, 110, 180)
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
    width = columns * (TILE_PX[0] + GAP_PX) + GAP_PX
    lines = wrapped(sentence, width - 2 * GAP_PX)
    top = GAP_PX + 30 + LINE_PX * len(lines) + GAP_PX
    row_px = TILE_PX[1] + 2 * LINE_PX + GAP_PX
    sheet = Image.new("RGB", (width, top + math.ceil(len(hits) / columns) * row_px), "white")
    canvas = ImageDraw.Draw(sheet)

    def write(xy: tuple[float, float], text: str, ink: tuple[int, int, int], size: int) -> None:
        canvas.text(xy, text, fill=ink, font=font(size))

    write((GAP_PX, GAP_PX), fitted(title, width - 2 * GAP_PX, 22), INK, 22)
    for number, line in enumerate(lines):
        write((GAP_PX, GAP_PX + 32 + number * LINE_PX), line, FAINT, 14)
    for number, hit in enumerate(hits):
        left = GAP_PX + number % columns * (TILE_PX[0] + GAP_PX)
        upper = top + number // columns * row_px
        sheet.paste(thumbnail(hit.item, reading), (left, upper))
        if hit.above:
            box = (left - 2, upper - 2, left + TILE_PX[0] + 1, upper + TILE_PX[1] + 1)
            canvas.rectangle(box, outline=ACCENT, width=2)
        _caption(write, number, hit, left, upper + TILE_PX[1] + 4)
    pixels = torch.from_numpy(np.array(sheet)).permute(2, 0, 1)[None]
    return pixels.float() / 255


def _caption(write: _Write, number: int, hit: Hit, left: int, upper: int) -> None:
    """Rank and score on one line, the name below."""
    score = f"{number + 1}    {hit.score:.3f}"
    write((left, upper), score, ACCENT if hit.above else INK, 15)
    text = "" if math.isnan(hit.unrelated) else f"{100 * hit.unrelated:.0f} % of unrelated"
    write((left + TILE_PX[0] - font(12).getlength(text), upper + 2), text, FAINT, 12)
    name = PurePosixPath(hit.path).name
    write((left, upper + LINE_PX), fitted(name, TILE_PX[0], 12), FAINT, 12)


def thumbnail(item: Item | None, reading: Reading) -> Image.Image:
    """The complete image inside the tile; gray where it can no longer be read."""
    tile = Image.new("RGB", TILE_PX, _GROUND)
    if item is None:
        return tile
    try:
        image = images.read(item.read(), longest=2 * max(TILE_PX), **reading.keywords)
    except BadFile:
        return tile
    pixels = (image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    picture = Image.fromarray(pixels)
    factor = min(TILE_PX[0] / picture.width, TILE_PX[1] / picture.height)
    size = (max(1, round(factor * picture.width)), max(1, round(factor * picture.height)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    tile.paste(picture, ((TILE_PX[0] - size[0]) // 2, (TILE_PX[1] - size[1]) // 2))
    return tile


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow."""
    return ImageFont.load_default(size)


def fitted(text: str, width: float, size: int) -> str:
    """The text in characters that the font has, its middle left out where it is too long."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    if font(size).getlength(text) <= width:
        return text
    for count in range(len(text), 1, -1):
        half = count // 2
        short = f"{text[: count - half]}...{text[-half:]}"
        if font(size).getlength(short) <= width:
            return short
    return ""


def wrapped(text: str, width: float) -> list[str]:
    """The text in lines of that width."""
    lines, line = [], ""
    for word in text.encode("latin-1", "replace").decode("latin-1").split():
        longer = f"{line} {word}".strip()
        if line and font(14).getlength(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]
