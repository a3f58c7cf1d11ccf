"""The data sets that come inside dependencies: real photographs, and nothing to download.

Files are read from the packages' folders. Importing scikit-learn would take a second, and
scikit-image's functions may download.
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

_SIDE = 64
_A_CLASS = 48
_FLAT = 3.0  # standard deviation of gray levels below which a tile shows nothing
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
}  # in alphabetical order, which is the order of drawing
_INSIDE = slice(240, 1170)  # of the retina, whose surroundings are black


@dataclass(frozen=True, eq=False)
class Pixels:
    """Gray levels in memory, (h, w) uint8, that read as a PNG file.

    The PNG is not compressed: its length then depends on the size alone, so that the control that
    looks at files instead of pixels finds nothing here.
    """

    levels: NDArray[np.uint8]

    @property
    def stamp(self) -> None:
        """Nothing: they never change."""

    def read(self) -> bytes:
        """The PNG file."""
        file = BytesIO()
        Image.fromarray(self.levels).save(file, "PNG", compress_level=0)
        return file.getvalue()


@dataclass(frozen=True)
class Drawn:
    """One built-in image with its label and what it shares a photograph with."""

    path: str
    label: str
    group: str | None
    source: Pixels


def photographs() -> list[Drawn]:
    """Which of ten photographs is this patch from? 479 tiles of 64 × 64 gray pixels, 99 groups.

    Non-overlapping tiles that are not flat, at most 48 a photograph, drawn with seed 0. A group is
    a column of tiles, so that a fold never cuts one. There is no colour: half the photographs are
    gray, and colour alone would give them away.
    """
    rng = np.random.default_rng(0)
    drawn: list[Drawn] = []
    for name in _PHOTOGRAPHS:
        tiles = _tiles(_gray(name))
        chosen = np.sort(rng.choice(len(tiles), min(_A_CLASS, len(tiles)), replace=False))
        for row, column, tile in (tiles[i] for i in chosen):
            path = f"{name}/row{row:02d}_column{column:02d}.png"
            drawn.append(Drawn(path, name, f"{name}/column{column:02d}", Pixels(tile)))
    return drawn


def digits() -> list[Drawn]:
    """1,000 of scikit-learn's 1,797 handwritten digits, 8 × 8 pixels, drawn with seed 0.

    Their 17 levels are spread over 0 to 255; the canvas enlarges them.
    """
    text = gzip.decompress(_inside("sklearn/datasets/data/digits.csv.gz").read_bytes())
    table = np.loadtxt(BytesIO(text), delimiter=",")
    chosen = np.sort(np.random.default_rng(0).choice(len(table), 1000, replace=False))
    levels = np.rint(table[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    labels = table[:, -1].astype(int)
    return [
        Drawn(f"{labels[i]}/{i:04d}.png", str(labels[i]), None, Pixels(levels[i])) for i in chosen
    ]


def _inside(file: str) -> Path:
    """The path of a package's file, found without importing the package."""
    package, _, rest = file.partition("/")
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder) / rest).is_file():
            return path
    distribution = {"skimage": "scikit-image>=0.26", "sklearn": "scikit-learn>=1.6"}[package]
    raise BadData(f"the built-in set needs {file}, got none. pip install '{distribution}'")


@lru_cache(maxsize=len(_PHOTOGRAPHS))
def _gray(name: str) -> NDArray[np.uint8]:
    with Image.open(_inside(_PHOTOGRAPHS[name])) as image:
        rgb = np.asarray(image.convert("RGB"), np.float64)
    gray = np.rint(rgb @ (0.299, 0.587, 0.114)).astype(np.uint8)
    return gray[_INSIDE, _INSIDE] if name == "retina" else gray


def _tiles(gray: NDArray[np.uint8]) -> list[tuple[int, int, NDArray[np.uint8]]]:
    """(row, column, tile) from left to right and top to bottom."""
    rows, columns = (side // _SIDE for side in gray.shape)
    grid = gray[: rows * _SIDE, : columns * _SIDE].reshape(rows, _SIDE, columns, _SIDE)
    return [
        (row, column, tile)
        for row in range(rows)
        for column in range(columns)
        if (tile := grid[row, :, column]).std() >= _FLAT
    ]
