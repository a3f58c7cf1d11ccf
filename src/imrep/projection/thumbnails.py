"""Thumbnails of the images of a map: JPEG sheets of equal tiles, bounded in number and size."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from imrep import images
from imrep.comparison.data import path_matching
from imrep.datasets import Item
from imrep.datasets.sources import File
from imrep.errors import BadFile
from imrep.images.canvas import Readable, load_squares
from imrep.types import Progress

MAX_COUNT = 10_000
COLUMNS = 32  # tiles in a row of a sheet, and rows: 2,048 px a side, which phones decode
_LARGE, _SMALL = 64, 48  # px, the side of a tile: the small one where there are many
_MAX_LARGE = 2_500
_MAX_BYTES = 12_000_000  # of all sheets, unless even the lowest quality exceeds it
_QUALITIES = 80, 60, 40, 25  # of JPEG, tried in this order


class Thumbnails(NamedTuple):
    """Sheets of tiles, and which image each tile shows.

    Attributes:
        sheets: JPEG files of 32 × 32 tiles, each row from the left; the last may be shorter.
        side: Of a tile, px.
        tiles: int32 (n,), the tile of each image, numbered through all sheets; -1 without one.
        skipped: Path and reason of the images that could not be read.
    """

    sheets: tuple[bytes, ...]
    side: int
    tiles: NDArray[np.int32]
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def number(self) -> int:
        """Images that have one."""
        return int((self.tiles >= 0).sum())


def none(count: int) -> Thumbnails:
    """No thumbnails, for a number of images."""
    return Thumbnails((), _LARGE, np.full(count, -1, np.int32))


def sources(
    paths: Sequence[str] | None, items: Sequence[Item] | None, folder: Path | None
) -> dict[int, Readable]:
    """What holds the image of each row, for those that have one.

    Args:
        paths: Of the rows; None where they have none.
        items: The images of a data set, to which the paths are matched, or the rows one by one
            where these have no paths; None to look for the paths themselves.
        folder: That of the file of vectors, where paths are looked for after the current folder.
    """
    if items is not None:
        if paths is None:
            return dict(enumerate(items))
        matching = path_matching.match(items, range(len(items)), paths)
        rows = ((matching.row(image), items[image]) for image in range(len(items)))
        return {row: item for row, item in rows if row is not None}
    files: dict[int, Readable] = {}
    bases = [Path(), *([folder] if folder else [])]
    for row, path in enumerate(paths or ()):
        file = next((base / path for base in bases if _is_file(base / path)), None)
        if file is not None:
            files[row] = File(file)
    return files


def draw(
    readable: dict[int, Readable],
    names: Sequence[str],
    *,
    max_count: int,
    reading: images.Reading = images.DEFAULT_READING,
    threads: int = 2,
    seed: int = 0,
    progress: Progress | None = None,
) -> Thumbnails:
    """Central squares of images; of a sample drawn at random where there are more than `max_count`.

    Args:
        readable: What holds the image of each row.
        names: Of all rows, for the list of those that cannot be read.
        max_count: Thumbnails at most.
        reading: How files become pixels.
        threads: Files decoded at once.
        seed: Of the sample.
        progress: Called with a phrase, the number done and the total.
    """
    rows = np.array(sorted(readable), np.int64)
    if len(rows) > max_count:
        sample = np.random.default_rng(seed).choice(len(rows), max_count, replace=False)
        rows = rows[np.sort(sample)]
    side = _LARGE if len(rows) <= _MAX_LARGE else _SMALL
    tiles = np.full(len(names), -1, np.int32)
    squares: list[NDArray[np.uint8]] = []
    skipped: list[tuple[str, str]] = []
    report = progress or (lambda *_: None)
    decoded = load_squares(
        [readable[int(row)] for row in rows],
        side,
        threads=threads,
        progress=lambda done, total: report("thumbnails", done, total),
        **reading.canvas_keywords,
    )
    for index, square, *_ in decoded:
        if isinstance(square, BadFile):
            skipped.append((names[rows[index]], str(square)))
            continue
        tiles[rows[index]] = len(squares)
        squares.append(square)
    return Thumbnails(_sheets(squares, side), side, tiles, tuple(skipped))


def _sheets(squares: Sequence[NDArray[np.uint8]], side: int) -> tuple[bytes, ...]:
    """JPEG files of the highest quality that keeps them within 12 MB."""
    per_sheet = COLUMNS * COLUMNS
    pictures = [
        PIL.Image.fromarray(_sheet(squares[start : start + per_sheet], side))
        for start in range(0, len(squares), per_sheet)
    ]
    sheets: tuple[bytes, ...] = ()
    for quality in _QUALITIES:
        sheets = tuple(_jpeg(picture, quality) for picture in pictures)
        if sum(map(len, sheets)) <= _MAX_BYTES:
            break
    return sheets


def _sheet(squares: Sequence[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    """Tiles in rows of 32, the remainder black."""
    rows = -(-len(squares) // COLUMNS)
    canvas = np.zeros((rows * side, COLUMNS * side, 3), np.uint8)
    for tile, square in enumerate(squares):
        top, left = side * (tile // COLUMNS), side * (tile % COLUMNS)
        canvas[top : top + side, left : left + side] = square
    return canvas


def _jpeg(picture: PIL.Image.Image, quality: int) -> bytes:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return data.getvalue()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than the system allows, or with a zero byte
        return False
