"""Filters learned at different positions of photographs are alike; those of aligned faces are not.

IMREP_DATA=data python docs/experiments/stationarity.py
"""

import itertools
import os
import warnings
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import page
from page import Record, Results, Spec

if TYPE_CHECKING:
    from torch import Tensor

_SIDE, _PATCH, _FILTERS = 96, 12, 32  # pixels of an image and of a patch; filters per position
_JITTER, _COPIES = 5, 6  # pixels up to which the patches of a position lie from it; their number
_TITLES = {
    "photographs": "photographs",
    "faces": "aligned faces",
    "shuffled": "shuffled pixels",
}
_FOLDERS = {
    "photographs": (
        "captions",
        "coco_mini_train",
        "classification/caltech101_a",
        "denoising/cbsd68_a",
    ),
    "faces": ("classification/orl_faces_a",),
}
_SUFFIXES = (".jpg", ".png", ".pgm")
_COLUMNS = 8  # of filters in a picture


def measure(quick: bool) -> Record:
    """Similarity of filters within and between positions, for each kind of image."""
    repeats, limit = (2, 20) if quick else (5, 1000)
    jobs = [partial(_similarities, kind, limit, r) for kind in _TITLES for r in range(repeats)]
    values = page.in_parallel(jobs)
    groups = {kind: values[i * repeats : (i + 1) * repeats] for i, kind in enumerate(_TITLES)}
    results: Results = {
        "repeats": repeats,
        "images": {kind: len(images(kind, limit)) for kind in _TITLES},
        "kinds": [
            {
                "name": kind,
                "title": title,
                "same": [same for same, _, _ in groups[kind]],
                "other": [other for _, other, _ in groups[kind]],
            }
            for kind, title in _TITLES.items()
        ],
    }
    pictures = {
        f"{kind}-{name}": groups[kind][0][2][index]
        for kind in ("photographs", "faces")
        for name, index in (("corner", 0), ("middle", 4))
    }
    return Record(results, pictures)


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    kinds = {kind["name"]: kind for kind in results["kinds"]}
    gaps = {name: page.difference(kind["same"], kind["other"]) for name, kind in kinds.items()}
    photographs, shuffled = kinds["photographs"], kinds["shuffled"]
    losses = zip(gaps["photographs"], gaps["faces"], strict=True)
    return {
        "alike": min(photographs["other"]) > 2 * max(shuffled["other"]),
        "nearly as between other images": max(gaps["photographs"]) < 0.1,
        "a position of faces has filters of its own": all(a < b for a, b in losses),
    }


@cache
def images(kind: str, limit: int) -> np.ndarray:
    """(n, 96, 96) gray, of mean 0: the middle squares, reduced."""
    from imrep.images import square

    data = Path(os.environ["IMREP_DATA"])
    folders = _FOLDERS["photographs" if kind == "shuffled" else kind]
    files = [p for f in folders for p in sorted((data / f).rglob("*.*")) if p.suffix in _SUFFIXES]
    pixels = [square(path, _SIDE)[0] for path in files[:: max(1, len(files) // limit)]]
    gray = np.stack([p.mean(2) if p.ndim == 3 else p for p in pixels]).astype(np.float32) / 255
    if kind == "shuffled":
        order = np.random.default_rng(0).permutation(_SIDE * _SIDE)
        gray = gray.reshape(len(gray), -1)[:, order].reshape(gray.shape)
    return gray - gray.mean((1, 2), keepdims=True)


def patches(gray: np.ndarray, position: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 144) at one of nine positions of the images, in a 3 × 3 grid, less their means."""
    cells = (_SIDE - _PATCH - 2 * _JITTER) // 2
    y, x = (_JITTER + cells * index for index in divmod(position, 3))
    result = []
    for image in gray:
        for dy, dx in rng.integers(-_JITTER, _JITTER + 1, (_COPIES, 2)):
            result.append(image[y + dy :, x + dx :][:_PATCH, :_PATCH].ravel())
    flat = np.array(result)
    return flat - flat.mean(1, keepdims=True)


def filters(gray: np.ndarray, position: int, seed: int) -> np.ndarray:
    """(32, 12, 12) of length one, by independent component analysis."""
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    rng = np.random.default_rng([seed, position])
    ica = FastICA(_FILTERS, whiten="unit-variance", max_iter=100, tol=1e-3, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ica.fit(patches(gray, position, rng))
    columns = ica.mixing_.T
    columns = columns / np.linalg.norm(columns, axis=1, keepdims=True)
    return columns.reshape(-1, _PATCH, _PATCH)


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Mean correlation of filters in their best pairs, each at its best shift and sign."""
    from scipy.optimize import linear_sum_assignment

    a, b = (np.fft.rfft2(each, (2 * _PATCH, 2 * _PATCH)) for each in (first, second))
    shifted = np.fft.irfft2(a[:, None] * b[None].conj(), (2 * _PATCH, 2 * _PATCH))
    best = np.abs(shifted).max((2, 3))
    return float(best[linear_sum_assignment(-best)].mean())


def _similarities(kind: str, limit: int, seed: int) -> tuple[float, float, list["Tensor"]]:
    """Of the same and of other positions, between two halves of the images; and pictures."""
    gray = images(kind, limit)
    order = np.random.default_rng(seed).permutation(len(gray))
    halves = [gray[order[::2]], gray[order[1::2]]]
    sets = [[filters(half, position, seed) for position in range(9)] for half in halves]
    pairs = list(itertools.product(range(9), repeat=2))
    table = {(i, j): similarity(sets[0][i], sets[1][j]) for i, j in pairs}
    same = np.mean([table[i, i] for i in range(9)])
    other = np.mean([table[i, j] for i, j in pairs if i != j])
    return float(same), float(other), [_picture(each) for each in sets[0]]


def _picture(filters: np.ndarray) -> "Tensor":
    """The filters in rows, from black to white, enlarged."""
    import torch

    scaled = 0.5 + filters / np.abs(filters).max((1, 2), keepdims=True) / 2
    framed = np.pad(scaled, ((0, 0), (1, 1), (1, 1)), constant_values=1)
    rows = framed.reshape(-1, _COLUMNS, *framed.shape[1:]).transpose(0, 2, 1, 3)
    grid = rows.reshape(rows.shape[0] * rows.shape[1], -1).repeat(2, 0).repeat(2, 1)
    return torch.from_numpy(grid)[None, None].float()


def draw(results: Results) -> dict[str, Spec]:
    """A circle for each split of the images."""
    titles = {"same": "same position, other images", "other": "other position and images"}
    rows = [
        {"kind": kind["title"], "where": titles[key], "similarity": value}
        for kind in results["kinds"]
        for key in titles
        for value in kind[key]
    ]
    inks = dict(zip(titles.values(), (page.OTHER, page.ACCENT), strict=True))
    encoding = {
        "x": page.axis("similarity", "similarity of filters"),
        "y": page.names("kind", list(_TITLES.values())),
        "color": page.colours("where", inks),
    }
    return {
        "similarity": page.chart(
            {"data": {"values": rows}, "mark": page.CIRCLE, "encoding": encoding}
        )
    }


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
