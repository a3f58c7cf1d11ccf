"""Squares of images around instances, with the joints where the pixels go."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.represent.spatial.composite.skeleton import Skeleton
from imrep.represent.spatial.composite.targets import Instance

Matrix = NDArray[np.float64]  # (2, 3): position in the square = M (x, y, 1)

_MARGIN = 1.25  # side of the square without augmentation, of the longer side of an instance
_CLOSEST, _FARTHEST = (
    0.8,
    2.0,
)  # times that, at random: down to parts of it, and up to its surroundings
_SHIFT = 0.15  # of the square's side, by which an instance lies beside its centre, at most
_ROTATION, _ROTATED = math.radians(30), 0.4  # at most; share of the images that are
_FILL = (124, 116, 104)  # mean colour of ImageNet, beside the image
_JITTER = 0.3  # of brightness, contrast and saturation: factors within 1 ± 0.3
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Example:
    """A square of an image.

    Args:
        pixels: (3, side, side), uint8.
        instances: Joints and boxes in its pixels; they may lie outside.
        valid: Left, top, right and bottom of the image in it, in pixels.
    """

    pixels: Tensor
    instances: tuple[Instance, ...]
    valid: tuple[float, float, float, float]


def centred(pixels: Tensor, instances: Sequence[Instance], side: int) -> Example:
    """The square around the largest instance, or the central one of an image without any.

    Args:
        pixels: (3, h, w), uint8.
        instances: Of the image.
        side: Height and width in pixels.
    """
    posed = [i for i in instances if _has_pose(i)]
    largest = max(posed, key=lambda i: i.box[2] * i.box[3], default=None)
    x, y, extent = _framed(largest, pixels)
    return _example(pixels, instances, None, _matrix((x, y), extent * _MARGIN, side), side)


def augmented(
    pixels: Tensor,
    instances: Sequence[Instance],
    skeleton: Skeleton,
    side: int,
    dice: np.random.Generator,
    names: Collection[str],
    strength: float = 1.0,
) -> Example:
    """A random square around a random instance.

    Args:
        pixels: (3, h, w), uint8.
        instances: Of the image.
        skeleton: Says which joints change places in a mirror.
        side: Height and width in pixels.
        dice: Determines it.
        names: Of "resized_crop" (scale and position), "flip", "rotate" (up to 30 degrees) and
            "jitter" (of colours).
        strength: From 0, which leaves the square around an instance, to 1.
    """
    posed = [i for i in instances if _has_pose(i)]
    chosen = posed[dice.integers(len(posed))] if posed else None
    x, y, extent = _framed(chosen, pixels)
    factors = dice.uniform(size=8)
    extent *= _MARGIN
    if "resized_crop" in names:
        low, high = math.log(_CLOSEST), math.log(_FARTHEST)
        extent *= math.exp(strength * (low + (high - low) * factors[0]))
        shift = strength * _SHIFT * extent * (2 * factors[1:3] - 1)
        x, y = x + shift[0], y + shift[1]
    rotated = "rotate" in names and factors[3] < _ROTATED
    angle = strength * _ROTATION * (2 * factors[4] - 1) if rotated else 0.0
    mirrored = "flip" in names and factors[5] < strength / 2
    matrix = _matrix((x, y), extent, side, angle, mirrored)
    own = _example(pixels, instances, skeleton if mirrored else None, matrix, side)
    if "jitter" not in names:
        return own
    coloured = _jittered(own.pixels, 1 + strength * _JITTER * dice.uniform(-1, 1, 3))
    return Example(coloured, own.instances, own.valid)


def _has_pose(instance: Instance) -> bool:
    return not instance.crowd and bool((instance.keypoints[:, 2] > 0).any())


def _framed(instance: Instance | None, pixels: Tensor) -> tuple[float, float, float]:
    """Centre and longer side of an instance's joints and box, or of the image."""
    height, width = pixels.shape[1:]
    if instance is None:
        return (width - 1) / 2, (height - 1) / 2, float(max(height, width)) / _MARGIN
    left, top, own_width, own_height = instance.box
    joints = instance.keypoints[instance.keypoints[:, 2] > 0, :2]
    corners = np.array([[left, top], [left + own_width, top + own_height], *joints])
    low, high = corners.min(0), corners.max(0)
    return *((low + high) / 2).tolist(), max(8.0, float((high - low).max()))


def _matrix(
    centre: tuple[float, float],
    extent: float,
    side: int,
    angle: float = 0.0,
    mirrored: bool = False,
) -> Matrix:
    """The square of side `extent` around a position, turned and mirrored, on `side` pixels."""
    scale = side / extent
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    if mirrored:
        linear[0] *= -1
    middle = (side - 1) / 2
    return np.column_stack([linear, middle - linear @ centre])


def _example(
    pixels: Tensor,
    instances: Sequence[Instance],
    mirror: Skeleton | None,
    matrix: Matrix,
    side: int,
) -> Example:
    height, width = pixels.shape[1:]
    edges = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], float)
    corners = _moved(edges, matrix)
    low, high = corners.min(0).clip(0, side - 1), corners.max(0).clip(0, side - 1)
    moved = tuple(_moved_instance(instance, matrix, mirror) for instance in instances)
    return Example(_warped(pixels, matrix, side), moved, (*low.tolist(), *high.tolist()))


def _moved_instance(instance: Instance, matrix: Matrix, mirror: Skeleton | None) -> Instance:
    keypoints = instance.keypoints.astype(np.float64).copy()
    keypoints[:, :2] = _moved(keypoints[:, :2], matrix)
    if mirror is not None:
        keypoints = keypoints[list(mirror.swapped)]
    left, top, width, height = instance.box
    box = np.array([[left, top], [left + width, top], [left, top + height],
                    [left + width, top + height]])  # fmt: skip
    corners = _moved(box, matrix)
    (x, y), (w, h) = corners.min(0), np.ptp(corners, axis=0)
    return Instance(keypoints, (float(x), float(y), float(w), float(h)), instance.crowd)


def _moved(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _warped(pixels: Tensor, matrix: Matrix, side: int) -> Tensor:
    """The pixels of the square; images that become less than half as large are averaged first."""
    source = np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
    scale = math.hypot(*matrix[:, 0])
    if scale < 0.5:
        height, width = (max(1, round(n * 2 * scale)) for n in source.shape[:2])
        factors = np.array([source.shape[1] / width, source.shape[0] / height])
        source = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)
        # A pixel's centre (i + 1/2) f - 1/2 in the large image is i in the small one.
        linear = matrix[:, :2] * factors
        matrix = np.column_stack([linear, matrix[:, 2] + matrix[:, :2] @ (factors / 2 - 0.5)])
    square = cv2.warpAffine(source, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=_FILL)
    return torch.from_numpy(square).permute(2, 0, 1)


def _jittered(pixels: Tensor, factors: NDArray[np.float64]) -> Tensor:
    brightness, contrast, saturation = factors.tolist()
    x = pixels.float() * brightness
    luma = torch.tensordot(x.new_tensor(_LUMA), x, 1)
    x = luma + saturation * (x - luma)
    mean = luma.mean()
    return (mean + contrast * (x - mean)).round().clamp(0, 255).to(torch.uint8)
