"""The data sets inside dependencies: real photographs, without a download.

Files are read from the packages' folders: importing scikit-learn takes a second, and scikit-image's
functions may download.
"""

import gzip
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.errors import BadData
from imrep.ops.luma import LUMA

_TILE = 64
_PER_CLASS = 48
_FLAT = 3.0  # standard deviation of gray levels below which a tile is left out
_PHOTOGRAPHS = {
    "brick": "skimage/data/brick.png",
    "coffee": "skimage/data/coffee.png",
    "flower": "sklearn/datasets/images/flower.jpg",
    "grass": "skimage/data/grass.png",
    "gravel": "skimage/data/gravel.png",
    "hubble_deep_field": "skimage/data/hubble_deep_field.jpg",
    "ihc": "skimage/data/ihc.png",
    "moon": "skimage/data/moon.png",
    "motorcycle_left": "skimage/data/motorcycle_left.png",
    "retina": "skimage/data/retina.jpg",
}  # in alphabetical order, which is the order of sampling
_RETINA = slice(240, 1170)  # inside the retina's black surroundings


@dataclass(frozen=True, eq=False)
class Pixels:
    """Gray levels in memory, (h, w) uint8, that read as a PNG file.

    The PNG is not compressed: its length then depends on the size alone and cannot give the class
    away to the control that looks at file sizes.
    """

    levels: NDArray[np.uint8]

    @property
    def stamp(self) -> None:
        """None: they never change."""

    def read(self) -> bytes:
        """The PNG file."""
        file = BytesIO()
        Image.fromarray(self.levels).save(file, "PNG", compress_level=0)
        return file.getvalue()


@dataclass(frozen=True)
class BuiltinImage:
    """A built-in image with its label and the group of tiles that it is cut beside."""

    path: str
    label: str
    group: str | None
    source: Pixels


def photographs() -> list[BuiltinImage]:
    """Which of ten photographs is this patch from? 479 tiles of 64 × 64 gray pixels, 99 groups.

    Non-overlapping tiles that are not flat, at most 48 a photograph, sampled with seed 0. A group
    is a column of tiles, so that a fold never splits one. All are gray: half the photographs are,
    and colour alone would identify the others.
    """
    rng = np.random.default_rng(0)
    samples: list[BuiltinImage] = []
    for name in _PHOTOGRAPHS:
        tiles = _tiles(_gray(name))
        chosen = np.sort(rng.choice(len(tiles), min(_PER_CLASS, len(tiles)), replace=False))
        for row, column, tile in (tiles[i] for i in chosen):
            path = f"{name}/row{row:02d}_column{column:02d}.png"
            samples.append(BuiltinImage(path, name, f"{name}/column{column:02d}", Pixels(tile)))
    return samples


def digits() -> list[BuiltinImage]:
    """1,000 of scikit-learn's 1,797 handwritten digits, 8 × 8 pixels, sampled with seed 0.

    Their 17 levels are scaled to 0 to 255; the canvas enlarges them.
    """
    text = gzip.decompress(inside("sklearn/datasets/data/digits.csv.gz").read_bytes())
    table = np.loadtxt(BytesIO(text), delimiter=",")
    chosen = np.sort(np.random.default_rng(0).choice(len(table), 1000, replace=False))
    levels = np.rint(table[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    labels = table[:, -1].astype(int)
    return [
        BuiltinImage(f"{labels[i]}/{i:04d}.png", str(labels[i]), None, Pixels(levels[i]))
        for i in chosen
    ]


def inside(file: str) -> Path:
    """The path of a package's file, without importing the package."""
    package, _, inner = file.partition("/")
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder) / inner).is_file():
            return path
    distribution = {"skimage": "scikit-image>=0.26", "sklearn": "scikit-learn>=1.6"}[package]
    raise BadData(f"the built-in set needs {file}, got none. pip install '{distribution}'")


@lru_cache(maxsize=len(_PHOTOGRAPHS))
def _gray(name: str) -> NDArray[np.uint8]:
    with Image.open(inside(_PHOTOGRAPHS[name])) as image:
        rgb = np.asarray(image.convert("RGB"), np.float64)
    gray = np.rint(rgb @ LUMA).astype(np.uint8)
    return gray[_RETINA, _RETINA] if name == "retina" else gray


def _tiles(gray: NDArray[np.uint8]) -> list[tuple[int, int, NDArray[np.uint8]]]:
    """(row, column, tile) from left to right and top to bottom."""
    rows, columns = (side // _TILE for side in gray.shape)
    grid = gray[: rows * _TILE, : columns * _TILE].reshape(rows, _TILE, columns, _TILE)
    return [
        (row, column, tile)
        for row in range(rows)
        for column in range(columns)
        if (tile := grid[row, :, column]).std() >= _FLAT
    ]
