"""Whether opposite borders of an image meet in its code."""

from collections.abc import Iterator

import torch
from torch import Tensor

from imrep.base import Representation
from imrep.codes import Code, Fields, Grid, Map, Points, Pyramid, Spectrum, Views, Warp
from imrep.testing._tools import photo, ready, require
from imrep.types import Image

_IMAGE_PX = 96  # pixels
_STRIP = 12  # pixels at one border that change
_FAR = 24  # pixels at the other, where nothing may
_LEAK = 1e-3  # share of the code's range that the tails of filters may carry across
_SAME_POSITION = 1e-3  # pixels
_BORDERS = {"left": 3, "top": 2}


def opposite_borders_do_not_meet(rep: Representation) -> None:
    """A change at one border leaves the code at the opposite one alone, or `periodic` says why.

    A change that reaches the far border through the whole image (a global threshold) reaches the
    middle as well, so the middle is the measure. Codes without positions are not asked.
    """
    if rep.periodic:
        require(" " in rep.periodic, f"{rep.spec} must say in words why it is periodic")
        return
    rep = ready(rep)
    image = photo(_IMAGE_PX, _IMAGE_PX, batch=1)
    for border, axis in _BORDERS.items():
        with torch.no_grad():
            before, after = rep.encode(image), rep.encode(_inverted(image, axis))
        for name, far, middle in _influences(before, after, axis):
            require(
                far <= 2 * middle + _LEAK,
                f"{rep.spec} lets the {border} border change {name} at the opposite one by "
                f"{far:.2g} of its range. Mirror the image, or set `periodic`",
            )


def _inverted(image: Image, axis: int) -> Image:
    """The image with a strip along its left (axis 3) or top (axis 2) inverted."""
    changed = image.clone()
    strip = changed.narrow(axis, 0, _STRIP)
    strip.copy_(1 - strip)
    return changed


def _influences(before: Code, after: Code, axis: int) -> Iterator[tuple[str, float, float]]:
    """Name of a tensor, its relative change at the far border, and in the middle."""
    if isinstance(before, Views) and isinstance(after, Views):
        for pair in zip(before.codes, after.codes, strict=True):
            yield from _influences(*pair, axis)
    elif isinstance(before, Points) and isinstance(after, Points):
        yield "values", *_points_influence(before, after, axis)
    else:
        changed = after.tensors()
        for name, tensor in _located(before):
            yield name, *_map_influence(tensor, changed[name], axis - 4)


def _located(code: Code) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a code whose last two axes are rows and columns of the image."""
    blocks = isinstance(code, Spectrum) and isinstance(code.values, tuple)
    if blocks or (isinstance(code, Map | Pyramid | Grid | Fields) and not isinstance(code, Warp)):
        yield from code.tensors().items()


def _map_influence(before: Tensor, after: Tensor, axis: int) -> tuple[float, float]:
    length = before.shape[axis]
    far, middle = max(1, length * _FAR // _IMAGE_PX), max(1, length // 8)
    change = (before - after).abs() / before.abs().max().clamp_min(1e-6)
    at_far = change.narrow(axis, length - far, far).max()
    return float(at_far), float(change.narrow(axis, length // 2, middle).max())


def _points_influence(before: Points, after: Points, axis: int) -> tuple[float, float]:
    """Of keypoints that stay where they are, the greatest change of their values."""
    xy, values = before.xy[before.present], before.values[before.present]
    new_xy, new_values = after.xy[after.present], after.values[after.present]
    if not len(xy) or not len(new_xy):
        return 0.0, 0.0
    distance, nearest = torch.cdist(xy, new_xy).min(1)
    change = (values - new_values[nearest]).abs().amax(1) / values.abs().max().clamp_min(1e-6)
    position, stays = xy[:, 3 - axis], distance < _SAME_POSITION
    far = change[stays & (position > _IMAGE_PX - _FAR)]
    middle = change[stays & ((position - _IMAGE_PX / 2).abs() < _FAR / 2)]
    return _largest(far), _largest(middle)


def _largest(values: Tensor) -> float:
    return float(values.max()) if len(values) else 0.0
