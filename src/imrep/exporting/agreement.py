"""Whether an exported file computes what imrep does, on real images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.datasets import Item, builtin
from imrep.errors import BadData, BadFile, BadParameter

TOLERANCE = 1e-4  # of the largest number of the output

_PHOTOGRAPHS = (
    "skimage/data/coffee.png",
    "sklearn/datasets/images/flower.jpg",
    "skimage/data/hubble_deep_field.jpg",
    "skimage/data/ihc.png",
    "skimage/data/motorcycle_left.png",
    "skimage/data/retina.jpg",
    "skimage/data/brick.png",
    "skimage/data/moon.png",
)
_MAX_IMAGES = 16

Compute = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # squares (n, s, s, 3) to rows (n, d)


@dataclass(frozen=True)
class Agreement:
    """The largest error of the file's numbers against imrep's.

    Attributes:
        absolute: Largest difference.
        relative: That over the largest number of imrep's.
        images: Number of images.
        dim: Numbers in an output row.
    """

    absolute: float
    relative: float
    images: int
    dim: int


def squares(items: Sequence[Item] | None, size: int, reading: images.Reading) -> NDArray[np.uint8]:
    """Squares (n, size, size, 3) of real images: at most sixteen of a data set, or photographs.

    Raises:
        BadData: None of the first images can be read.
    """
    sources = (
        [builtin.inside(file) for file in _PHOTOGRAPHS]
        if items is None
        else [_content(item) for item in items[:_MAX_IMAGES]]
    )
    read = [_square(source, size, reading) for source in sources]
    readable = [pixels for pixels in read if pixels is not None]
    if not readable:
        raise BadData(f"export needs images to check on, got {len(read)} that cannot be read.")
    return np.stack(readable)


def measure(pixels: NDArray[np.uint8], expected: Compute, actual: Compute, spec: str) -> Agreement:
    """Compare on all images at once, and on the first alone.

    Raises:
        BadParameter: The error is above the tolerance, or an output has another shape or is not
            finite.
    """
    reference = expected(pixels)
    outputs = np.concatenate([actual(pixels), actual(pixels[:1])])
    reference = np.concatenate([reference, reference[:1]])
    if outputs.shape != reference.shape:
        raise BadParameter(
            f"{spec} needs outputs of shape {reference.shape}, got {outputs.shape} of the exported "
            "graph. Nothing was written."
        )
    absolute = float(np.abs(outputs - reference).max())
    largest = float(np.abs(reference).max())
    relative = absolute / largest if largest else absolute
    if not relative <= TOLERANCE:
        raise BadParameter(
            f"{spec} needs an exported graph that agrees to {TOLERANCE:g} of its largest number, "
            f"got {relative:.2g}. Nothing was written."
        )
    return Agreement(absolute, relative, len(pixels), outputs.shape[1])


def _content(item: Item) -> bytes | None:
    try:
        return item.read()
    except BadFile:
        return None


def _square(source: object, size: int, reading: images.Reading) -> NDArray[np.uint8] | None:
    if source is None:
        return None
    try:
        return images.square(source, size, **reading.canvas_keywords)[0]  # type: ignore[arg-type]
    except BadFile:
        return None
