"""The picture of a match: both images side by side, with a line for each of the inliers."""

import colorsys
import math

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep.drawing import beside
from imrep.errors import BadImage
from imrep.matching.match import Match
from imrep.ops.resize import resize
from imrep.types import Image, Picture

__all__ = ["draw"]

_MIN_SIDE_PX = 480  # smaller images are enlarged to about this
_GAP_PX = 8  # white between the two
_MAX_LINES = 80  # more would hide what they connect
_FRACTION_BITS = 4  # of a pixel: OpenCV draws at integers shifted by these
_DOT_RADIUS = 3.5
_SMALL_DOT_RADIUS = 2.5  # of outliers, and of inliers that have no line
_OUTLINE = (255, 214, 10)
_OUTLIER = (170, 170, 170)
_RIM = (20, 20, 20)


def draw(match: Match, first: Image, second: Image) -> Picture:
    """Both images, the first outlined in the second, inliers joined by lines, outliers gray.

    Colours follow x in the first image, so that crossing lines stand out. Of more than 80 inliers
    all are dots, and 80 have a line, evenly spaced in x.

    Args:
        match: Their match, in pixels of these images.
        first: (1, 1|3, h, w), values in [0, 1].
        second: Likewise.

    Raises:
        BadImage: An image has another size than in the match.
    """
    sizes = tuple((int(image.shape[2]), int(image.shape[3])) for image in (first, second))
    if sizes != match.sizes:
        raise BadImage(
            f"draw needs the images that were matched, of {match.sizes}, got {sizes}. "
            f"Try match.resized(*{sizes})."
        )
    factor = max(1, math.ceil(_MIN_SIDE_PX / max(*sizes[0], *sizes[1])))
    tiles = [_tile(image, factor) for image in (first, second)]
    gap = torch.ones(1, 3, 1, _GAP_PX - 2)  # `beside` adds a column on each side
    pair = beside(beside(tiles[0], gap), tiles[1])
    canvas = np.ascontiguousarray((pair[0].permute(1, 2, 0) * 255).round().byte().numpy())
    offset = canvas.shape[1] - tiles[1].shape[3]
    first_xy = _enlarged(match.first, factor)
    second_xy = _enlarged(match.second, factor) + first_xy.new_tensor([offset, 0.0])
    for point in torch.cat([first_xy[~match.inlier], second_xy[~match.inlier]]):
        _dot(canvas, point, _OUTLIER, _SMALL_DOT_RADIUS)
    if match.outline is not None:
        tile = canvas[: tiles[1].shape[2], offset:]  # a view, which clips the outline
        _polygon(tile, _enlarged(match.outline, factor))
    _lines(canvas, first_xy[match.inlier], second_xy[match.inlier], tiles[0].shape[3])
    return torch.from_numpy(canvas).permute(2, 0, 1)[None].float() / 255


def _tile(image: Image, factor: int) -> Picture:
    height, width = image.shape[2:]
    enlarged = resize(image.detach().float().cpu(), factor * height, factor * width)
    return enlarged.clamp(0, 1).expand(-1, 3, -1, -1)


def _enlarged(points: Tensor, factor: int) -> Tensor:
    """Pixel centres at integers, before and after."""
    return (points + 0.5) * factor - 0.5


def _polygon(canvas: np.ndarray, corners: Tensor) -> None:
    ring = np.array([_fixed_point(corner) for corner in corners], np.int32)
    for colour, thickness in ((_RIM, 5), (_OUTLINE, 2)):
        cv2.polylines(canvas, [ring], True, colour, thickness, cv2.LINE_AA, _FRACTION_BITS)


def _lines(canvas: np.ndarray, first: Tensor, second: Tensor, width: int) -> None:
    """Inliers in hues from left to right, with lines of 75 % opacity."""
    if not len(first):
        return
    order = first[:, 0].argsort(stable=True)
    first, second = first[order], second[order]
    colours = [_hue(float(x) / width) for x in first[:, 0]]
    lines = canvas.copy()
    step = max(1.0, len(first) / _MAX_LINES)
    for i in {int(k * step) for k in range(min(_MAX_LINES, len(first)))}:
        ends = _fixed_point(first[i]), _fixed_point(second[i])
        cv2.line(lines, *ends, colours[i], 1, cv2.LINE_AA, _FRACTION_BITS)
    cv2.addWeighted(lines, 0.75, canvas, 0.25, 0, canvas)
    radius = _DOT_RADIUS if len(first) <= _MAX_LINES else _SMALL_DOT_RADIUS
    for point, colour in zip(torch.cat([first, second]), colours * 2, strict=True):
        _dot(canvas, point, colour, radius)


def _dot(canvas: np.ndarray, point: Tensor, colour: tuple[int, int, int], radius: float) -> None:
    """With a dark rim, so that it is visible on any background."""
    centre = _fixed_point(point)
    for shade, reach in ((_RIM, radius + 1), (colour, radius)):
        fixed_radius = round(reach * (1 << _FRACTION_BITS))
        cv2.circle(canvas, centre, fixed_radius, shade, -1, cv2.LINE_AA, _FRACTION_BITS)


def _hue(fraction: float) -> tuple[int, int, int]:
    """From red to violet; hues beyond would be red again."""
    red, green, blue = colorsys.hsv_to_rgb(0.8 * min(1.0, max(0.0, fraction)), 0.75, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def _fixed_point(point: Tensor) -> tuple[int, int]:
    """In sixteenths of a pixel, clamped to what OpenCV's 32-bit integers hold."""
    x, y = (round(float(value) * (1 << _FRACTION_BITS)) for value in point.clamp(-1e6, 1e6))
    return x, y
