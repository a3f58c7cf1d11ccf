"""Structuring elements: small masks, and what they are made of."""

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
"""A mask, or what `rectangles` made of it."""


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
    """The parts without what lies beyond every pixel of an image (height, width).

    An element far larger than the image becomes one that is hardly larger. Parts of which nothing
    is left are dropped, unless nothing would be left of all.
    """
    if all(-height < p.top and p.top + p.height <= height and -width < p.left
           and p.left + p.width <= width for p in parts):  # fmt: skip
        return parts
    found: list[Rectangle] = []
    for part in sorted(parts, key=lambda part: (part.left, part.width, part.top)):
        top, left = max(part.top, 1 - height), max(part.left, 1 - width)
        bottom, right = min(part.top + part.height, height), min(part.left + part.width, width)
        if top < bottom and left < right:
            found.append(Rectangle(top, left, bottom - top, right - left))
    if not found:
        return parts[:1]
    joined: list[Rectangle] = []
    for part in sorted(set(found), key=lambda part: (part.left, part.width, part.top)):
        last = joined[-1] if joined else None
        if last and last[1::2] == part[1::2] and part.top <= last.top + last.height:
            end = max(last.top + last.height, part.top + part.height)
            joined[-1] = last._replace(height=end - last.top)
        else:
            joined.append(part)
    return tuple(sorted(joined, key=lambda part: (part.width, part.left, part.top)))


def rectangles(element: Element) -> tuple[Rectangle, ...]:
    """The element as rectangles that cover it: runs of its rows, equal neighbours taken together.

    Runs of one place and length stand next to each other, so that they are computed once. What is
    rectangles already comes back as it is.
    """
    if isinstance(element, tuple):
        return element
    if not isinstance(element, Tensor) or element.ndim != 2 or not bool(element.any()):
        shape = tuple(element.shape) if isinstance(element, Tensor) else type(element).__name__
        raise BadParameter(
            f"a structuring element needs to be a matrix with a place in it, got {shape}. "
            "Try torch.ones(3, 3)."
        )
    middle, centre = element.shape[0] // 2, element.shape[1] // 2
    rows = [_runs(row) for row in (element != 0).tolist()]
    found, begun = [], 0
    for i in range(1, len(rows) + 1):
        if i == len(rows) or rows[i] != rows[begun]:
            found += [
                Rectangle(begun - middle, left - centre, i - begun, width)
                for left, width in rows[begun]
            ]
            begun = i
    return tuple(sorted(found, key=lambda part: (part.width, part.left, part.top)))


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """First place and length of each stretch of members."""
    edges = [i for i in range(len(row) + 1) if (i < len(row) and row[i]) != (i > 0 and row[i - 1])]
    return [(first, end - first) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _ellipse(height: int, width: int) -> Tensor:
    """Rows of the inscribed ellipse, half widths rounded; from OpenCV's definition."""
    r, c = height // 2, width // 2
    mask = torch.zeros(height, width, dtype=torch.bool)
    for i in range(height):
        if r and abs(i - r) <= r:
            half = round(c * math.sqrt((r * r - (i - r) ** 2) / r**2))
            mask[i, max(c - half, 0) : c + half + 1] = True
        else:
            mask[i, c] = True
    return mask
