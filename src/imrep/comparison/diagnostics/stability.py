"""How far a code moves when the picture changes a little, in distances to another picture.

0 means that it did not notice, 1 that it went as far as another image lies. Low is not better: a
code that is blind to everything is stable. No labels are needed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray as Array
from scipy.spatial.distance import cdist

PERTURBATIONS = {
    "shift": "shifted right and down by a sixteenth of the side",
    "rotate": "turned by 10°",
    "zoom": "enlarged 1.2 times",
    "darker": "at 0.6 of its brightness",
    "contrast": "at half its contrast",
    "blur": "blurred, sigma a forty-eighth of the side",
    "jpeg": "saved as JPEG of quality 20",
    "noise": "with noise of 20 levels",
    "occlude": "with a grey square of 0.35 of the side over it",
}

_GREY = 128
_NEAREST = 1e-12  # of distances, so that a code that tells nothing apart divides by something
_SAME = 1e-6  # of a code's length: what is nearer is the same code


@dataclass(frozen=True)
class Moves:
    """How one code answers to each perturbation.

    Attributes:
        move: Median over images of the distance moved, in the image's median distance to others.
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


def sample(n: int, seed: int = 0) -> Int[Array, " few"]:
    """Indices of the images that are perturbed, ascending."""
    return np.sort(np.random.default_rng(seed).choice(n, sample_size(n), replace=False))


def perturb(images: UInt8[Array, "n s s 3"], seed: int = 0) -> dict[str, UInt8[Array, "n s s 3"]]:
    """Every perturbation of every image, by name; all relative to the side of the square.

    Borders mirror the image. The noise, and where the grey square lies, are drawn from the seed.
    """
    side, rng = images.shape[1], np.random.default_rng(seed)
    seen = {
        name: np.array([change(image) for image in images], np.uint8).reshape(images.shape)
        for name, change in _changes(side).items()
    }
    seen["noise"] = _levels(images + rng.normal(0, 20, images.shape))
    seen["occlude"] = images.copy()
    covered = round(0.35 * side)
    for image, (y, x) in zip(
        seen["occlude"], rng.integers(0, side - covered + 1, (len(images), 2)), strict=True
    ):
        image[y : y + covered, x : x + covered] = _GREY
    return seen


def moves(original: Float[Array, "n d"], perturbed: Mapping[str, Float[Array, "n d"]]) -> Moves:
    """How far each perturbation moves the codes, and whether each still finds its original.

    Distances are those of the raw codes: their mean would cancel, and nothing is whitened. An
    image whose code another one has already is skipped; where fewer than two codes are left,
    nothing is told apart, and every move and share is 0.

    Args:
        original: Codes of n images.
        perturbed: By perturbation, codes of the same images in the same order.
    """
    apart = cdist(original, original)
    twins = apart <= _SAME * np.linalg.norm(original, axis=1)[:, None]
    kept = np.flatnonzero(~np.tril(twins, -1).any(axis=1))
    if len(kept) < 2:
        return Moves(dict.fromkeys(perturbed, 0.0), dict.fromkeys(perturbed, 0.0))
    others = ~np.eye(len(kept), dtype=bool)
    between = apart[np.ix_(kept, kept)][others].reshape(len(kept), -1)
    scale = np.maximum(np.median(between, axis=1), _NEAREST)
    move, top1 = {}, {}
    for name, codes in perturbed.items():
        away = cdist(codes[kept], original[kept])
        own = np.diagonal(away)
        move[name] = float(np.median(own / scale))
        top1[name] = float(np.mean(own < away[others].reshape(len(kept), -1).min(axis=1)))
    return Moves(move, top1)


def _changes(side: int) -> dict[str, Callable[[Array], Array]]:
    """The perturbations in which nothing is drawn."""
    step, centre = max(1, round(side / 16)), ((side - 1) / 2, (side - 1) / 2)
    return {
        "shift": lambda image: _warp(image, np.array([[1.0, 0, step], [0, 1, step]])),
        "rotate": lambda image: _warp(image, cv2.getRotationMatrix2D(centre, 10, 1)),
        "zoom": lambda image: _warp(image, cv2.getRotationMatrix2D(centre, 0, 1.2)),
        "darker": lambda image: _levels(0.6 * image),
        "contrast": lambda image: _levels(image.mean() + 0.5 * (image - image.mean())),
        "blur": lambda image: cv2.GaussianBlur(image, (0, 0), side / 48),
        "jpeg": _compress,
    }


def _warp(image: Array, matrix: Array) -> Array:
    size = image.shape[1::-1]
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT_101)


def _compress(image: Array) -> Array:
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1]


def _levels(values: Array) -> Array:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
