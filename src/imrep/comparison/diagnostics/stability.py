"""Displacement of vectors under small changes of the image, relative to distances between images.

0 means that the vector did not change, 1 that it moved as far as another image lies. Smaller is not
better: a constant vector is perfectly stable. No labels are needed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray as Array
from scipy.spatial.distance import cdist

_GRAY = 128
_MIN_DISTANCE = 1e-12  # that is divided by, where all vectors are equal
_EQUAL = 1e-6  # of a vector's length: vectors closer than that are equal


@dataclass(frozen=True)
class Stability:
    """Response of one candidate to each perturbation.

    Attributes:
        move: Median over images of the distance moved over the image's median distance to others.
        top1: Share of images whose original is still the nearest of all.
    """

    move: Mapping[str, float]
    top1: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Mean of min(1, move) over the perturbations."""
        return float(np.mean([min(1.0, moved) for moved in self.move.values()]))


def sample_size(n: int) -> int:
    """How many of n images are perturbed: a twenty-fifth, at least 16 and at most 40."""
    return min(n, int(np.clip(n // 25, 16, 40)))


def sample(n: int, seed: int = 0) -> Int[Array, " m"]:
    """Indices of the images that are perturbed, ascending."""
    return np.sort(np.random.default_rng(seed).choice(n, sample_size(n), replace=False))


def perturb(images: UInt8[Array, "n s s 3"], seed: int = 0) -> dict[str, UInt8[Array, "n s s 3"]]:
    """Every perturbation of every image, by name; all relative to the side of the square.

    Shift by a sixteenth of the side, rotation by 10°, zoom by 1.2, 0.6 of the brightness, half the
    contrast, blur of sigma a forty-eighth of the side, JPEG of quality 20, noise of 20 levels, and
    a gray square of 0.35 of the side. Borders mirror the image. Noise and the position of the gray
    square are random.
    """
    side, rng = images.shape[1], np.random.default_rng(seed)
    perturbed = {
        name: np.array([change(image) for image in images], np.uint8).reshape(images.shape)
        for name, change in _deterministic(side).items()
    }
    perturbed["noise"] = _to_levels(images + rng.normal(0, 20, images.shape))
    perturbed["occlude"] = images.copy()
    covered = round(0.35 * side)
    for image, (y, x) in zip(
        perturbed["occlude"], rng.integers(0, side - covered + 1, (len(images), 2)), strict=True
    ):
        image[y : y + covered, x : x + covered] = _GRAY
    return perturbed


def stability(
    original: Float[Array, "n d"], perturbed: Mapping[str, Float[Array, "n d"]]
) -> Stability:
    """How far each perturbation moves the vectors, and whether the original is still the nearest.

    Distances are those of the vectors as they are: centring would cancel, and nothing is whitened.
    Of images with equal vectors only the first counts; with fewer than two distinct vectors every
    move and share is 0.

    Args:
        original: Vectors of n images.
        perturbed: By perturbation, vectors of the same images in the same order.
    """
    distances = cdist(original, original)
    # a vector equal to an earlier one has no distance to others of its own
    equal = distances <= _EQUAL * np.linalg.norm(original, axis=1)[:, None]
    distinct = np.flatnonzero(~np.tril(equal, -1).any(axis=1))
    if len(distinct) < 2:
        return Stability(dict.fromkeys(perturbed, 0.0), dict.fromkeys(perturbed, 0.0))
    off_diagonal = ~np.eye(len(distinct), dtype=bool)
    between = distances[np.ix_(distinct, distinct)][off_diagonal].reshape(len(distinct), -1)
    scale = np.maximum(np.median(between, axis=1), _MIN_DISTANCE)
    move, top1 = {}, {}
    for name, vectors in perturbed.items():
        moved = cdist(vectors[distinct], original[distinct])
        own = np.diagonal(moved)
        others = moved[off_diagonal].reshape(len(distinct), -1)
        move[name] = float(np.median(own / scale))
        top1[name] = float(np.mean(own < others.min(axis=1)))
    return Stability(move, top1)


def _deterministic(side: int) -> dict[str, Callable[[Array], Array]]:
    """The perturbations without random parameters."""
    step, centre = max(1, round(side / 16)), ((side - 1) / 2, (side - 1) / 2)
    return {
        "shift": lambda image: _warp(image, np.array([[1.0, 0, step], [0, 1, step]])),
        "rotate": lambda image: _warp(image, cv2.getRotationMatrix2D(centre, 10, 1)),
        "zoom": lambda image: _warp(image, cv2.getRotationMatrix2D(centre, 0, 1.2)),
        "darker": lambda image: _to_levels(0.6 * image),
        "contrast": lambda image: _to_levels(image.mean() + 0.5 * (image - image.mean())),
        "blur": lambda image: cv2.GaussianBlur(image, (0, 0), side / 48),
        "jpeg": _compress,
    }


def _warp(image: Array, matrix: Array) -> Array:
    size = image.shape[1::-1]
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT_101)


def _compress(image: Array) -> Array:
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1]


def _to_levels(values: Array) -> Array:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
