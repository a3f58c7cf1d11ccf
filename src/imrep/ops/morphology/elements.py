"""Structuring elements: small masks, and their decomposition into rectangles."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadParameter

SHAPES = ("rect", "cross", "ellipse", "diagonal", "antidiagonal")


class Rectangle(NamedTuple):
    """Part of an element: its upper left corner from the origin, and its sides."""

    top: int
    left: int
    height: int
    width: int


Element = Tensor | tuple[Rectangle, ...]
"""A mask, or its `rectangles`."""


def structuring_element(shape: str, height: int, width: int) -> Tensor:
    """A mask (height, width) of booleans: rect, cross, ellipse (as OpenCV's) or a diagonal line.

    Raises:
        BadParameter: For another shape, a side below 1, or a diagonal that is not square.
    """
    checks.one_of(shape, SHAPES, "a structuring element", "shape")
    checks.at_least(min(height, width), 1, "a structuring element", "both sides")
    if shape == "rect":
        return torch.ones(height, width, dtype=torch.bool)
    if shape == "cross":
        mask = torch.zeros(height, width, dtype=torch.bool)
        mask[height // 2] = True
        mask[:, width // 2] = True
        return mask
    if shape == "ellipse":
        return _ellipse(height, width)
    if height != width:
        raise BadParameter(f"a {shape} needs equal sides, got {height}×{width}. Use {height}.")
    line = torch.eye(height, dtype=torch.bool)
    return line if shape == "diagonal" else line.flip(1)


def clipped(parts: tuple[Rectangle, ...], height: int, width: int) -> tuple[Rectangle, ...]:
    """The parts cropped to offsets that occur within an image (height, width).

    Cropping bounds the cost of an element far larger than the image. Parts that become empty are
    dropped, unless all would be; parts that become neighbours are merged again.
    """
    if all(-height < p.top and p.top + p.height <= height and -width < p.left
           and p.left + p.width <= width for p in parts):  # fmt: skip
        return parts
    cropped: list[Rectangle] = []
    for part in sorted(parts, key=lambda part: (part.left, part.width, part.top)):
        # An offset of the image's height or width or more leaves the image from every pixel.
        top, left = max(part.top, 1 - height), max(part.left, 1 - width)
        bottom, column_end = min(part.top + part.height, height), min(part.left + part.width, width)
        if top < bottom and left < column_end:
            cropped.append(Rectangle(top, left, bottom - top, column_end - left))
    # No offset stays within the image: any one part gives the neutral value.
    if not cropped:
        return parts[:1]
    merged: list[Rectangle] = []
    for part in sorted(set(cropped), key=lambda part: (part.left, part.width, part.top)):
        last = merged[-1] if merged else None
        # [1::2] is (left, width): such parts merge where their rows touch or overlap.
        if last and last[1::2] == part[1::2] and part.top <= last.top + last.height:
            end = max(last.top + last.height, part.top + part.height)
            merged[-1] = last._replace(height=end - last.top)
        else:
            merged.append(part)
    return tuple(sorted(merged, key=lambda part: (part.width, part.left, part.top)))


def rectangles(element: Element) -> tuple[Rectangle, ...]:
    """Disjoint rectangles that cover the element: runs of its rows, equal neighbours merged.

    They are sorted by width and then left edge, so that runs of one position and length follow each
    other and are computed once. Rectangles are returned as they are.
    """
    if isinstance(element, tuple):
        return element
    if not isinstance(element, Tensor) or element.ndim != 2 or not bool(element.any()):
        shape = tuple(element.shape) if isinstance(element, Tensor) else type(element).__name__
        raise BadParameter(
            f"a structuring element needs to be a matrix that is not all zero, got {shape}. "
            "Try torch.ones(3, 3)."
        )
    middle, centre = element.shape[0] // 2, element.shape[1] // 2
    rows = [_runs(row) for row in (element != 0).tolist()]
    parts, top = [], 0
    for i in range(1, len(rows) + 1):
        # Rows top … i - 1 have the same runs: one rectangle for each run.
        if i == len(rows) or rows[i] != rows[top]:
            parts += [
                Rectangle(top - middle, left - centre, i - top, width) for left, width in rows[top]
            ]
            top = i
    return tuple(sorted(parts, key=lambda part: (part.width, part.left, part.top)))


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """First index and length of each run of members."""
    # Indices where membership changes; first indices and ends alternate.
    edges = [i for i in range(len(row) + 1) if (i < len(row) and row[i]) != (i > 0 and row[i - 1])]
    return [(first, end - first) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _ellipse(height: int, width: int) -> Tensor:
    """Rows of the inscribed ellipse, half widths rounded; from OpenCV's definition."""
    r, c = height // 2, width // 2
    mask = torch.zeros(height, width, dtype=torch.bool)
    for i in range(height):
        if r and abs(i - r) <= r:
            # Python rounds halves to even, and so does OpenCV's cvRound.
            half = round(c * math.sqrt((r * r - (i - r) ** 2) / r**2))
            mask[i, max(c - half, 0) : c + half + 1] = True
        else:
            mask[i, c] = True
    return mask
