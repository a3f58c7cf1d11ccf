"""Images on their way to a store: each file is read once, for its digest and for its vector."""

from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.base import Representation
from imrep.datasets import Item
from imrep.embedding import batching, compiling, engine, shards
from imrep.embedding.batching import Loaded, Skip
from imrep.embedding.engine import EncodedBatch
from imrep.errors import BadFile
from imrep.io.digests import digest
from imrep.types import Progress


@dataclass(frozen=True)
class ReadImage:
    """What became of an image.

    Args:
        item: The image.
        digest: Of its bytes; "" where they cannot be read.
        size: Width and height in pixels, None where they are not known.
        vector: (d,); None where it was not computed.
        reason: Why there is none; "" where a stored vector has this digest.
    """

    item: Item
    digest: str
    size: tuple[int | None, int | None] = (None, None)
    vector: NDArray[np.float32] | None = None
    reason: str = ""


class _Stored(BadFile):
    """Bytes whose vector is in the store: they need no decoding."""


@dataclass
class _Reading:
    """The images that are being read, with what was learned of them on the way."""

    items: Sequence[Item]
    stored: Container[str]
    digests: dict[int, str] = field(default_factory=dict)
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)

    def measured(self, loaded: Iterable[Loaded]) -> Iterator[Loaded]:
        """The same squares; their sizes are noted."""
        for entry in loaded:
            if len(entry) == 3:
                self.sizes[entry[0]] = entry[2].width, entry[2].height
            yield entry

    def finished(self, row: int, vector: NDArray[np.float32] | None, reason: str = "") -> ReadImage:
        """What became of an image."""
        content = self.digests.pop(row, "")
        size = self.sizes.pop(row, (None, None))
        reason = "" if content in self.stored else reason
        return ReadImage(self.items[row], content, size, vector, reason)


@dataclass(frozen=True)
class _DigestedFile:
    """An image whose digest is noted when it is read."""

    row: int
    reading: _Reading

    def read(self) -> bytes:
        """The bytes. Raises BadFile where they cannot be read, or need no decoding."""
        data = self.reading.items[self.row].read()
        content = digest(data)
        self.reading.digests[self.row] = content
        if content in self.reading.stored:
            raise _Stored(content)
        return data


def encode(
    items: Sequence[Item],
    rep: Representation,
    stored: Container[str],
    settings: shards.Settings,
    progress: Progress | None = None,
) -> Generator[ReadImage, None, None]:
    """Every image in order, with its vector.

    Args:
        items: The images.
        rep: What embeds, on its device.
        stored: Digests whose vectors are stored: these images are not decoded.
        settings: How images are read and encoded.
        progress: Called with a sentence and a total of zero where a network is compiled.
    """
    function = compiling.vectors(rep, items, settings, progress)
    reading = _Reading(items, stored)
    sources = [_DigestedFile(row, reading) for row in range(len(items))]
    keywords = settings.reading.canvas_keywords
    loaded = images.load_squares(sources, settings.size, threads=settings.threads, **keywords)
    batches = batching.batches(reading.measured(loaded), settings.batch)
    results = engine.encode_or_skip(function, batches, settings.device)
    with closing(loaded), closing(batches), closing(results):
        for result in results:
            yield from _images(result, reading)


def _images(
    result: EncodedBatch[NDArray[np.float32]] | Skip, reading: _Reading
) -> Iterator[ReadImage]:
    if isinstance(result, Skip):
        yield reading.finished(result.row, None, result.reason)
    elif skips := result.skips:
        for skip in skips:
            yield reading.finished(skip.row, None, skip.reason)
    else:
        for row, vector in zip(result.rows, result.value, strict=True):
            yield reading.finished(row, vector)
