"""Images with masks: the class of each pixel, as segmentation is annotated.

Masks are images of the size of theirs whose pixels hold a class: its number (8 or 16 bits), an
index of a palette, or a colour. What the numbers and colours mean is in a file beside the folders:
classes.csv with name and, as wanted, id and r,g,b. 255 means no class where it is none, and so do
classes named void or unlabelled.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.datasets.dataset import Dataset
from imrep.datasets.masks import classes as classes_
from imrep.datasets.masks import mask_file, pairs
from imrep.datasets.masks.classes import UNLABELLED, Classes
from imrep.datasets.masks.mask_file import Stored
from imrep.datasets.masks.pairs import Pair
from imrep.datasets.sources import Source
from imrep.errors import BadData
from imrep.io.digests import digest
from imrep.ops import parallel
from imrep.types import Progress

__all__ = ["UNLABELLED", "Classes", "Mask", "Masks", "find"]

_THREADS = 2


@dataclass(frozen=True)
class Mask:
    """The mask of an image, in its file.

    Attributes:
        source: Its bytes.
        name: Its name in messages.
        classes: What its values stand for.
    """

    source: Source
    name: str
    classes: Classes

    def read(self) -> NDArray[np.int16]:
        """The class of each pixel, (h, w), -1 for none."""
        stored = mask_file.read(self.source.read(), self.name)
        keys, _ = mask_file.counted(stored.values)
        table = self.classes.of(keys, stored, self.name).astype(np.int16)
        return table[np.searchsorted(keys, stored.values)]

    def square(self, size: int) -> NDArray[np.int16]:
        """The central square as images are read, (size, size), each pixel that of the nearest."""
        values = self.read()
        short = min(values.shape)
        left, top = ((side - short) / 2 for side in values.shape[::-1])
        image = Image.fromarray(values.astype(np.int32))
        box = (left, top, left + short, top + short)
        resized = image.resize((size, size), Image.Resampling.NEAREST, box=box)
        return np.asarray(resized).astype(np.int16)


@dataclass(frozen=True, eq=False)
class Masks:
    """The masks of a data set.

    Attributes:
        classes: Of its pixels.
        key: Digest of all masks and classes.
        masks: By the path of their image.
        pixels: How many pixels of each class each mask has, (n, classes), in the same order.
    """

    classes: Classes
    key: str
    masks: dict[str, Mask] = field(repr=False)
    pixels: NDArray[np.int64] = field(repr=False)

    @property
    def parameters(self) -> dict[str, bool | int | float | str]:
        """The number of classes."""
        return {"classes": len(self.classes)}

    def of(self, path: str) -> Mask:
        """The mask of an image."""
        return self.masks[path]


@dataclass(frozen=True)
class _Scan:
    """What one pass over a mask gives."""

    stored: Stored  # without its pixels
    values: NDArray[np.int64]
    counts: NDArray[np.int64]
    digest: str


def find(data: str, progress: Progress | None = None) -> Dataset:
    """The images at a path with their masks, every one of which is read once and checked.

    Args:
        data: A folder with images/ and masks/ (also labels/, annotations/, gt/ …), whose files have
            the same names apart from suffixes such as _mask; a zip of one; or a csv with the
            columns image and mask.
        progress: Called as masks are read.

    Raises:
        BadData: Naming the file, or the line: an image has no mask, a mask has another size than
            its image, or holds a number or colour that stands for no class.
    """
    matched = pairs.find(data)
    scans = []
    for scan in parallel.ordered_map(_scanned, matched.pairs, _THREADS):
        scans.append(scan)
        if progress:
            progress("checking masks", len(scans), len(matched.pairs))
    own = _classes(matched, scans)
    counts = np.zeros((len(scans), len(own)), np.int64)
    for row, (pair, scan) in enumerate(zip(matched.pairs, scans, strict=True)):
        index = own.of(scan.values, scan.stored, pair.name)
        labelled = index != UNLABELLED
        np.add.at(counts[row], index[labelled], scan.counts[labelled])
    if not counts.any():
        raise BadData(f"{matched.name} needs pixels with a class, got none in any mask.")
    identity = [*(scan.digest for scan in scans), repr(own.names), repr(own.ids), repr(own.colours)]
    masks = {pair.item.path: Mask(pair.mask, pair.name, own) for pair in matched.pairs}
    items = tuple(pair.item for pair in matched.pairs)
    annotations = Masks(own, digest(*identity), masks, counts)
    return Dataset(matched.name, items, matched.notes, annotations=annotations)


def _scanned(pair: Pair) -> _Scan:
    """The values of a mask, once its size is that of its image.

    Raises:
        BadData: It is not.
    """
    data = pair.mask.read()
    stored = mask_file.read(data, pair.name)
    size = mask_file.size(pair.item.source)
    if size not in (None, stored.values.shape):
        height, width = stored.values.shape
        raise BadData(
            f"{pair.name} needs the size of {pair.item.path}, {size[1]} × {size[0]}, got "
            f"{width} × {height}. Draw it at that size."
        )
    values, counts = mask_file.counted(stored.values)
    without = Stored(stored.kind, stored.values[:0], stored.palette)
    return _Scan(without, values, counts, digest(data))


def _classes(matched: pairs.Pairs, scans: list[_Scan]) -> Classes:
    """Those that a file lists, else those of the numbers in the masks."""
    if matched.classes is not None:
        return classes_.listed(*matched.classes)
    for pair, scan in zip(matched.pairs, scans, strict=True):
        if scan.stored.kind == "colours":
            Classes((), ()).of(scan.values, scan.stored, pair.name)
    values = sorted({value for scan in scans for value in scan.values.tolist()})
    without_void = [int(scan.values[scan.values != 255].max(initial=0)) for scan in scans]
    largest = int(np.argmax(without_void))
    return classes_.numbered(values, matched.pairs[largest].name)
