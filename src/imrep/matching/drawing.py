"""The picture of a match: both images side by side, a line for each pair that agrees."""

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

_SIDE = 480  # small pictures are enlarged to about this
_GAP = 8  # pixels of white between the two
_LINES = 80  # at most; more hide what they lead to
_FINE = 4  # bits of a pixel's fraction that OpenCV draws by
_SMALL = 2.5  # radius of dots that are many, or lead nowhere
_OUTLINE = (255, 214, 10)
_WRONG = (170, 170, 170)
_DARK = (20, 20, 20)


def draw(found: Match, first: Image, second: Image) -> Picture:
    """Both images, what was found outlined in the second, inliers joined, other pairs grey.

    Colours run with the place in the first image, so that lines that cross stand out. Of many
    inliers all are dots and 80 have a line, spread over the image.

    Args:
        found: What `match` gave for them, in pixels of these images.
        first: (1, 1|3, h, w), values in [0, 1].
        second: Likewise.

    Raises:
        BadImage: An image has another size than the match is about.
    """
    sizes = tuple((int(image.shape[2]), int(image.shape[3])) for image in (first, second))
    if sizes != found.sizes:
        raise BadImage(
            f"draw needs the images that were matched, of {found.sizes}, got {sizes}. "
            f"Try found.resized(*{sizes})."
        )
    factor = max(1, math.ceil(_SIDE / max(*sizes[0], *sizes[1])))
    tiles = [_canvas(image, factor) for image in (first, second)]
    blank = torch.ones(1, 3, 1, _GAP - 2)  # to which `beside` adds a column on each side
    both = beside(beside(tiles[0], blank), tiles[1])
    canvas = np.ascontiguousarray((both[0].permute(1, 2, 0) * 255).round().byte().numpy())
    across = canvas.shape[1] - tiles[1].shape[3]
    here = _enlarged(found.first, factor)
    there = _enlarged(found.second, factor) + here.new_tensor([across, 0.0])
    _dots(canvas, here, there, found.inlier)
    corners = found.outline
    if corners is not None:
        inside = canvas[:, across:]  # a view: what lies outside the second image is cut off
        _polygon(inside[: tiles[1].shape[2]], _enlarged(corners, factor))
    _lines(canvas, here[found.inlier], there[found.inlier], tiles[0].shape[3])
    return torch.from_numpy(canvas).permute(2, 0, 1)[None].float() / 255


def _canvas(image: Image, factor: int) -> Picture:
    height, width = image.shape[2:]
    under = resize(image.detach().float().cpu(), factor * height, factor * width)
    return under.clamp(0, 1).expand(-1, 3, -1, -1)


def _enlarged(places: Tensor, factor: int) -> Tensor:
    return (places + 0.5) * factor - 0.5


def _dots(canvas: np.ndarray, here: Tensor, there: Tensor, inlier: Tensor) -> None:
    """The pairs that do not agree, small and grey: they lead nowhere."""
    for place in torch.cat([here[~inlier], there[~inlier]]):
        _dot(canvas, place, _WRONG, _SMALL)


def _polygon(canvas: np.ndarray, corners: Tensor) -> None:
    ring = np.array([_point(corner) for corner in corners], np.int32)
    for colour, thick in ((_DARK, 5), (_OUTLINE, 2)):
        cv2.polylines(canvas, [ring], True, colour, thick, cv2.LINE_AA, _FINE)


def _lines(canvas: np.ndarray, here: Tensor, there: Tensor, width: int) -> None:
    """Inliers in the colours of the rainbow from left to right, lines half transparent."""
    if not len(here):
        return
    order = here[:, 0].argsort(stable=True)
    here, there = here[order], there[order]
    colours = [_hue(float(x) / width) for x in here[:, 0]]
    drawn = canvas.copy()
    step = max(1.0, len(here) / _LINES)
    for i in {int(k * step) for k in range(min(_LINES, len(here)))}:
        ends = _point(here[i]), _point(there[i])
        cv2.line(drawn, *ends, colours[i], 1, cv2.LINE_AA, _FINE)
    cv2.addWeighted(drawn, 0.75, canvas, 0.25, 0, canvas)
    radius = 3.5 if len(here) <= _LINES else _SMALL
    for place, colour in zip(torch.cat([here, there]), colours * 2, strict=True):
        _dot(canvas, place, colour, radius)


def _dot(canvas: np.ndarray, place: Tensor, colour: tuple[int, int, int], radius: float) -> None:
    """With a dark rim, to be seen on anything."""
    for shade, reach in ((_DARK, radius + 1), (colour, radius)):
        cv2.circle(
            canvas, _point(place), round(reach * (1 << _FINE)), shade, -1, cv2.LINE_AA, _FINE
        )


def _hue(share: float) -> tuple[int, int, int]:
    """Red to violet; never back to red."""
    red, green, blue = colorsys.hsv_to_rgb(0.8 * min(1.0, max(0.0, share)), 0.75, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def _point(place: Tensor) -> tuple[int, int]:
    """In sixteenths of a pixel, where OpenCV can count them."""
    x, y = (round(float(value) * (1 << _FINE)) for value in place.clamp(-1e6, 1e6))
    return x, y
