"""A contact sheet of groups of near-duplicates: a row per group, the image to keep framed."""

import numpy as np
import torch
from PIL import Image, ImageDraw

from imrep.duplicates.review import Copy, DuplicateGroup, DuplicateGroups
from imrep.images import Reading
from imrep.retrieval.contact_sheet import (
    ACCENT,
    FAINT,
    GAP_PX,
    INK,
    LINE_PX,
    TILE_PX,
    fitted,
    font,
    thumbnail,
    wrapped,
)
from imrep.types import Picture

__all__ = ["MAX_GROUPS", "draw"]

MAX_GROUPS = 60  # on a sheet, which a viewer can open: 14,000 pixels down
_MAX_COPIES = 5  # of a group, the kept image among them
_HEAD_PX = 24


def draw(result: DuplicateGroups, reading: Reading) -> Picture:
    """The sheet of the first groups, (1, 3, rows, columns).

    Below each thumbnail stand its path and why it is kept, or what it differs in.

    Args:
        result: The groups.
        reading: How their files become pixels.
    """
    groups = result.groups[:MAX_GROUPS]
    columns = max([2, *(min(len(group), _MAX_COPIES) for group in groups)])
    width = columns * (TILE_PX[0] + GAP_PX) + GAP_PX
    lines = wrapped(_title(result, len(groups)), width - 2 * GAP_PX)
    top = 2 * GAP_PX + LINE_PX * len(lines)
    row_px = _HEAD_PX + TILE_PX[1] + 3 * LINE_PX + GAP_PX
    sheet = Image.new("RGB", (width, top + row_px * len(groups)), "white")
    canvas = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        canvas.text((GAP_PX, GAP_PX + number * LINE_PX), line, fill=INK, font=font(14))
    for number, group in enumerate(groups):
        _row(sheet, canvas, top + number * row_px, number + 1, group, reading)
    pixels = torch.from_numpy(np.array(sheet)).permute(2, 0, 1)[None]
    return pixels.float() / 255


def _title(result: DuplicateGroups, count: int) -> str:
    left_out = f" The first {count} are drawn." if count < len(result) else ""
    return result.sentence + left_out


def _row(
    sheet: Image.Image,
    canvas: ImageDraw.ImageDraw,
    top: int,
    number: int,
    group: DuplicateGroup,
    reading: Reading,
) -> None:
    """A group: its number, then its first images."""
    more = len(group) - _MAX_COPIES
    text = f"group {number}" + (f", and {more} more" if more > 0 else "")
    text += "    labels differ" if group.labels_differ else ""
    canvas.text((GAP_PX, top), text, fill=ACCENT if group.labels_differ else FAINT, font=font(14))
    for column, copy in enumerate(group.copies[:_MAX_COPIES]):
        left, upper = GAP_PX + column * (TILE_PX[0] + GAP_PX), top + _HEAD_PX
        sheet.paste(thumbnail(copy.item, reading), (left, upper))
        if copy.keep:
            box = (left - 2, upper - 2, left + TILE_PX[0] + 1, upper + TILE_PX[1] + 1)
            canvas.rectangle(box, outline=ACCENT, width=2)
        _caption(canvas, copy, left, upper + TILE_PX[1] + 4)


def _caption(canvas: ImageDraw.ImageDraw, copy: Copy, left: int, upper: int) -> None:
    """The path on one line, the reason on two."""
    name = fitted(copy.path, TILE_PX[0], 12)
    canvas.text((left, upper), name, fill=INK, font=font(12))
    why = ("keep: " if copy.keep else "") + copy.why.replace("×", "x")  # not in Pillow's font
    for number, line in enumerate(wrapped(why, TILE_PX[0])[:2]):
        xy = (left, upper + LINE_PX * (number + 1) - 3)
        canvas.text(xy, fitted(line, TILE_PX[0], 12), fill=FAINT, font=font(12))
