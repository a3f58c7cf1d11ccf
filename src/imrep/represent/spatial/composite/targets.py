"""Poses to fields: what the network is trained to give.

Positions are in cells (pixels / stride); cell (0, 0) is pixel (0, 0).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrep.represent.spatial.composite.skeleton import Skeleton

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, top, right, bottom

_PADDING = 10  # cells around the field that a patch may reach into
_PATCH = 4  # cells per side of a joint's patch
_PRECISION = 0.1  # pixels, below which the loss does not distinguish distances
_IGNORED_DISTANCE = 1.0  # cells: only what is nearer is written in ignored regions
_MAX_FACTOR = 5.0  # by which the visible part of an instance is enlarged at most
_MIN_SCALE, _MIN_AREA = 0.1, 0.1  # cells, and units of the complete pose
_HIDDEN_PX = 32  # along either axis, from a hidden joint to the same visible one of another
_GROWN_INTENSITY, _GROWN_ASSOCIATION = 1.5, 1.0  # cells added around ignored regions


@dataclass(frozen=True)
class Instance:
    """One annotation of an image.

    Args:
        keypoints: (joint, 3) of x, y in pixels and visibility: 0 not annotated, 1 hidden, 2
            visible.
        box: Left, top, width and height in pixels.
        crowd: Whether it is a group without poses.
    """

    keypoints: Array
    box: tuple[float, float, float, float]
    crowd: bool = False


@dataclass(frozen=True)
class Targets:
    """Fields of one image; a confidence of NaN does not count, nor do other NaN.

    Args:
        intensity: (joint, 5, h, w): confidence, dx, dy, least distance, scale.
        association: (edge, 9, h, w): confidence, dx and dy of both ends, least distance of both,
            scale of both.
    """

    intensity: NDArray[np.float32]
    association: NDArray[np.float32]


def encode(
    instances: Sequence[Instance],
    skeleton: Skeleton,
    size: tuple[int, int],
    stride: int,
    valid: Box | None = None,
) -> Targets:
    """The fields of an image's instances.

    Args:
        instances: Of the image.
        skeleton: Joints and edges.
        size: Rows and columns of the fields.
        stride: Pixels per cell.
        valid: Part of the image that holds pixels, in pixels; beyond it no field is positive.
    """
    instances = _without_covered(instances)
    ignored, poses = _divided(instances)
    boxes = [_in_cells(instance.box, stride) for instance in ignored]
    intensity = _Intensity(len(skeleton.joints), size, stride, boxes)
    association = _Association(len(skeleton.edges), size, stride, boxes)
    for keypoints in poses:
        cells = keypoints.copy()
        cells[:, :2] /= stride
        scales = instance_scale(cells, skeleton) * np.array(skeleton.sigmas)
        intensity.add(cells, scales)
        association.add(cells, scales, skeleton)
    area = None if valid is None else tuple(v / stride for v in valid)
    return Targets(intensity.field(area), association.field(area))


def instance_scale(cells: Array, skeleton: Skeleton) -> float:
    """Square root of the area that an instance would have if all of it were visible; in cells.

    The visible part is enlarged by its share in a complete pose, upright or at 45 degrees, where
    that is known. NaN where fewer than three joints are visible or the area is tiny.
    """
    visible = cells[:, 2] > 0
    if visible.sum() < 3:
        return math.nan
    factor = 1.0
    if skeleton.pose:
        upright = np.array(skeleton.pose)
        c, s = math.cos(math.pi / 4), math.sin(math.pi / 4)
        rotated = upright @ np.array([[c, s], [-s, c]])
        areas = [(_area(pose), _area(pose[visible])) for pose in (upright, rotated)]
        if all(part <= _MIN_AREA for _, part in areas):
            return math.nan
        factor = math.sqrt(min(full / part for full, part in areas if part > _MIN_AREA))
    scale = math.sqrt(_area(cells[visible])) * min(_MAX_FACTOR, factor)
    return scale if scale >= _MIN_SCALE else math.nan


class _Field:
    """A padded field with the distance at which each of its cells was written."""

    def __init__(
        self,
        count: int,
        size: tuple[int, int],
        stride: int,
        ignored: Sequence[Box],
        components: int,
    ) -> None:
        rows, columns = (n + 2 * _PADDING for n in size)
        self.size, self.stride = size, stride
        self.values = np.full((count, components, rows, columns), np.nan)
        self.values[:, 0] = 0
        self.distance = np.full((count, rows, columns), np.inf)
        for left, top, right, bottom in ignored:
            rows_, columns_ = _cells(top, bottom, size[0]), _cells(left, right, size[1])
            self.values[:, 0, rows_, columns_] = np.nan
            self.distance[:, rows_, columns_] = _IGNORED_DISTANCE

    def field(self, valid: tuple[float, ...] | None) -> NDArray[np.float32]:
        """The field without its padding."""
        p = _PADDING
        cropped = self.values[:, :, p : p + self.size[0], p : p + self.size[1]].astype(np.float32)
        if valid is None:
            return cropped
        left, top = (max(0, int(v)) for v in valid[:2])
        right, bottom = (max(0, math.ceil(v) + 1) for v in valid[2:])
        outside = np.ones(self.size, bool)
        outside[top:bottom, left:right] = False
        cropped[:, :, outside] = np.nan
        cropped[:, 0, outside] = 0
        return cropped


class _Intensity(_Field):
    def __init__(
        self, count: int, size: tuple[int, int], stride: int, ignored: Sequence[Box]
    ) -> None:
        super().__init__(count, size, stride, [_grown(b, _GROWN_INTENSITY) for b in ignored], 5)

    def add(self, cells: Array, scales: Array) -> None:
        """A patch of 4 × 4 cells around every joint; each cell belongs to the nearest joint."""
        for joint, ((x, y, visibility), scale) in enumerate(zip(cells, scales, strict=True)):
            if visibility <= 0:
                continue
            column, row = (round(float(v) - (_PATCH - 1) / 2) + _PADDING for v in (x, y))
            limits = self.values.shape[2] - _PATCH, self.values.shape[3] - _PATCH
            if not (0 <= row <= limits[0] and 0 <= column <= limits[1]):
                continue
            part = np.s_[row : row + _PATCH, column : column + _PATCH]
            dx = x - (np.arange(column, column + _PATCH) - _PADDING)[None]
            dy = y - (np.arange(row, row + _PATCH) - _PADDING)[:, None]
            distance = np.hypot(dx, dy)
            nearer = distance < self.distance[joint][part]
            self.distance[joint][part][nearer] = distance[nearer]
            patch = self.values[joint, :, row : row + _PATCH, column : column + _PATCH]
            parts = (1.0, dx, dy, _PRECISION / self.stride, scale)
            for component, value in zip(patch, parts, strict=True):
                component[nearer] = np.broadcast_to(value, nearer.shape)[nearer]


class _Association(_Field):
    def __init__(
        self, count: int, size: tuple[int, int], stride: int, ignored: Sequence[Box]
    ) -> None:
        super().__init__(count, size, stride, [_grown(b, _GROWN_ASSOCIATION) for b in ignored], 9)

    def add(self, cells: Array, scales: Array, skeleton: Skeleton) -> None:
        """Cells along every edge; each belongs to the edge with the least distance across."""
        for edge, (a, b) in enumerate(skeleton.edges):
            if cells[a, 2] > 0 and cells[b, 2] > 0 and not self._outside(cells[[a, b], :2]):
                self._write(edge, cells[a, :2], cells[b, :2], scales[a], scales[b])

    def _outside(self, ends: Array) -> bool:
        limits = np.array([self.size[1] - 1, self.size[0] - 1])
        return bool(((ends < 0) | (ends > limits)).any(1).all())

    def _write(self, edge: int, first: Array, second: Array, s1: float, s2: float) -> None:
        offset = second - first
        length = float(np.hypot(*offset))
        margin = min(max(1.5 / (length + 1e-9), 0.25), 0.4)
        count = max(2, math.ceil(length))
        precision = _PRECISION / self.stride
        for fraction in np.linspace(margin, 1 - margin, count):
            column, row = (round(float(v)) - 1 for v in first + fraction * offset)
            y, x = np.mgrid[row : row + 3, column : column + 3]
            inside = (y >= -_PADDING) & (y < self.size[0] + _PADDING)
            inside &= (x >= -_PADDING) & (x < self.size[1] + _PADDING)
            x, y = x[inside], y[inside]
            across = np.abs(offset[0] * (y - first[1]) - offset[1] * (x - first[0]))
            across = across / (length + 0.01)
            r, c = y + _PADDING, x + _PADDING
            nearer = across <= self.distance[edge, r, c]
            r, c, x, y = r[nearer], c[nearer], x[nearer], y[nearer]
            self.distance[edge, r, c] = across[nearer]
            ends = (first[0] - x, first[1] - y, second[0] - x, second[1] - y)
            for component, value in enumerate((1.0, *ends, precision, precision, s1, s2)):
                self.values[edge, component, r, c] = value


def _without_covered(instances: Sequence[Instance]) -> list[Instance]:
    """Hidden joints count as not annotated beside the same joint, visible, of another instance."""
    result = []
    for i, instance in enumerate(instances):
        keypoints = instance.keypoints.astype(np.float64).copy()
        for j, other in enumerate(instances):
            if j == i or other.crowd:
                continue
            offset = np.abs(instance.keypoints[:, :2] - other.keypoints[:, :2])
            covered = (instance.keypoints[:, 2] == 1) & (other.keypoints[:, 2] > 1)
            keypoints[covered & (offset < _HIDDEN_PX).all(1), 2] = 0
        result.append(Instance(keypoints, instance.box, instance.crowd))
    return result


def _divided(instances: Sequence[Instance]) -> tuple[list[Instance], list[Array]]:
    """Those to ignore, crowds and instances without a visible joint; and the poses of others."""
    ignored, poses = [], []
    for instance in instances:
        if instance.crowd or not (instance.keypoints[:, 2] > 0).any():
            ignored.append(instance)
        else:
            poses.append(instance.keypoints)
    return ignored, poses


def _in_cells(box: tuple[float, float, float, float], stride: int) -> Box:
    left, top, width, height = (v / stride for v in box)
    return left, top, left + width, top + height


def _grown(box: Box, margin: float) -> Box:
    return box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin


def _cells(low: float, high: float, count: int) -> slice:
    """The cells of a padded field that an ignored region covers."""
    start = min(max(int(low) + _PADDING, 0), count + 2 * _PADDING)
    return slice(start, max(start, math.ceil(high) + 1 + _PADDING))


def _area(points: Array) -> float:
    return float(np.ptp(points[:, :2], axis=0).prod())
