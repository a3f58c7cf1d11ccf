"""The images of a run: read once, grouped by near-duplicates, and handed out by their row."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep import images
from imrep.base.examples import Pixels
from imrep.datasets import Annotations, Dataset, Item
from imrep.duplicates import stored
from imrep.duplicates.groups import merge, user_groups
from imrep.embedding import decoded_images
from imrep.errors import BadData
from imrep.images import Reading
from imrep.io.digests import digest
from imrep.types import Progress

_SEARCH_PX = 64  # squares among which near-duplicates are searched where files keep their size


@dataclass(frozen=True)
class Squares:
    """Decoded squares in a file of `numpy.save`, from which single ones are read.

    A map of the file would count all that was ever read as this process's memory.

    Args:
        path: The file.
        side: Of the squares, in pixels.
        offset: Bytes before the first.
    """

    path: Path
    side: int
    offset: int

    def read(self, row: int) -> Tensor:
        """(3, side, side), uint8."""
        size = 3 * self.side**2
        values = np.fromfile(self.path, np.uint8, size, offset=self.offset + row * size)
        return torch.from_numpy(values.reshape(self.side, self.side, 3)).permute(2, 0, 1)


@dataclass(frozen=True)
class Files:
    """Files that are decoded at their own size, each time they are needed."""

    items: tuple[Item, ...]
    reading: Reading
    side: None = None

    def read(self, row: int) -> Tensor:
        """(3, h, w), uint8."""
        values, _ = images.square(self.items[row].read(), None, **self.reading.canvas_keywords)
        return torch.from_numpy(values).permute(2, 0, 1)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The readable images of a data set.

    Args:
        name: Of the data set.
        items: The images.
        labels: Class of each, an index into `classes`, -1 without one; (n,).
        classes: Names of the classes; empty where the data set is not labelled.
        groups: Group of each, (n,).
        duplicates: Number of images with a near-duplicate.
        pixels: Their pixels.
        skipped: (path, reason) of what could not be read.
        key: Digest of the images and all of the above that enters the weights.
        annotations: What people have added to the images; None where they have not.
    """

    name: str
    items: tuple[Item, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.int64]
    duplicates: int
    pixels: Pixels
    skipped: tuple[tuple[str, str], ...]
    key: str
    annotations: Annotations | None = None

    def __len__(self) -> int:
        return len(self.items)


def collect(
    dataset: Dataset, size: int, reading: Reading, threads: int, progress: Progress
) -> TrainingData:
    """Read every image at `size`, 0 for its own, and find the near-duplicates.

    Raises:
        BadData: None can be read.
    """
    contents = decoded_images.digests(dataset.items, threads)
    decoded = decoded_images.decode(
        dataset.items,
        contents,
        size or _SEARCH_PX,
        threads=threads,
        reading=reading,
        progress=progress,
    )
    if not decoded.items:
        reason = decoded.skipped[0][1] if decoded.skipped else "there is none"
        raise BadData(f"train needs images that can be read, got none in {dataset.name}: {reason}")
    labels, classes = _labels(decoded.items, dataset.labelled)
    near_duplicates = stored.find(decoded, progress)
    edges = () if dataset.builtin else near_duplicates.edges
    merged = merge(
        labels,
        np.array([(edge.i, edge.j) for edge in edges], np.int64).reshape(-1, 2),
        np.array([edge.hn for edge in edges]),
        user_groups([item.group for item in decoded.items]),
    )
    squares = Squares(decoded.path, decoded.size, _offset(decoded.path))
    return TrainingData(
        name=dataset.name,
        items=decoded.items,
        labels=labels,
        classes=classes,
        groups=merged.groups,
        duplicates=near_duplicates.images,
        pixels=squares if size else Files(decoded.items, reading),
        skipped=decoded.skipped,
        key=_key(decoded.key, size, labels, merged.groups, dataset.annotations),
        annotations=dataset.annotations,
    )


def _key(
    decoded: str,
    size: int,
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    annotations: Annotations | None,
) -> str:
    own = () if annotations is None else (annotations.key,)
    return digest(decoded, str(size), labels.tobytes(), groups.tobytes(), *own)


def _labels(items: tuple[Item, ...], labelled: bool) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    names = [item.label if labelled else None for item in items]
    classes = tuple(sorted({name for name in names if name is not None}))
    number = {name: i for i, name in enumerate(classes)}
    return np.array([-1 if n is None else number[n] for n in names], np.int64), classes


def _offset(path: Path) -> int:
    """Bytes of the header of a file of `numpy.save`."""
    return int(np.lib.format.open_memmap(path, mode="r").offset)
