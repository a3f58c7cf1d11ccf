"""Vectors of the images of a data set, kept in the cache: a folder is embedded once.

An image is known again by its path, its size in bytes and its time of modification, so that a
folder that has grown costs what is new in it, and nothing is read of one that has not.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.base import Representation
from imrep.datasets import Item
from imrep.embedding import batching, cache, engine
from imrep.embedding.batching import Skip
from imrep.embedding.engine import EncodedBatch
from imrep.embedding.keyed_vectors import KeyedVectors
from imrep.errors import BadData, BadFile
from imrep.io.digests import digest
from imrep.ops import parallel
from imrep.types import Progress

_FORMAT = 1  # raised when the entries change their meaning
_BATCH = 64  # images
_PART = 256  # images in a part: what a kill can cost


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How images are read and encoded.

    Args:
        size: Side in pixels of the squares they are read at; None keeps each at its own size.
        threads: Files decoded, and batches encoded, at once.
        device: Where to encode.
        reading: How files become pixels.
    """

    size: int | None = 64
    threads: int = 2
    device: str = "cpu"
    reading: images.Reading = images.DEFAULT_READING


@dataclass(frozen=True)
class ImageVectors:
    """Vectors of the images that could be read.

    Args:
        items: These images, in the order of the data set.
        vectors: (n, d), as `embed` returns them.
        skipped: (path, reason) of the others.
        computed: Images that were read and encoded now; the others came from the cache.
    """

    items: tuple[Item, ...]
    vectors: NDArray[np.float32]
    skipped: tuple[tuple[str, str], ...]
    computed: int

    def __len__(self) -> int:
        return len(self.items)

    @property
    def unit(self) -> NDArray[np.float32]:
        """The vectors at length one."""
        return unit(self.vectors)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors (n, d) at length one; one of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def embed(
    rep: Representation,
    items: Sequence[Item],
    folder: str,
    settings: Settings,
    progress: Progress | None = None,
) -> ImageVectors:
    """Vectors of every image, from the cache where it has them.

    A run that is killed loses at most the last 256 images; the next one continues.

    Args:
        rep: What embeds; on its device, ready for evaluation.
        items: The images.
        folder: The absolute path of the data, or its name: its images have an entry of their own.
        settings: How images are read and encoded.
        progress: Called with a phrase, the number done and the total.

    Raises:
        BadData: No image could be read or embedded.
    """
    entry = cache.folder("images", _key(rep, folder, settings))
    keys = [_key_of(item) for item in items]
    threads = engine.thread_count(settings.threads, settings.device)
    with cache.held(entry), parallel.one_thread(threads):
        store = KeyedVectors(entry)
        entries = store.select(keys)
        missing = [i for i, key in enumerate(keys) if key not in entries]
        for part in _parts(rep, [items[i] for i in missing], settings, progress):
            part_keys = [keys[missing[row]] for row in part.rows]
            store.append(part_keys, part.stacked, part.reasons)
        entries |= store.select([keys[i] for i in missing])
    rows = [i for i, key in enumerate(keys) if not isinstance(entries[key], str)]
    skipped = [
        (item.path, reason)
        for item, key in zip(items, keys, strict=True)
        if isinstance(reason := entries[key], str)
    ]
    if not rows:
        path, reason = skipped[0]
        raise BadData(f"none of the {len(items)} files could be embedded; {path}: {reason}")
    vectors = np.stack([np.asarray(entries[keys[i]]) for i in rows])
    return ImageVectors(tuple(items[i] for i in rows), vectors, tuple(skipped), len(missing))


@dataclass
class _Part:
    """Images that are stored together."""

    rows: list[int] = field(default_factory=list)
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, result: EncodedBatch[NDArray[np.float32]] | Skip) -> None:
        """Append what became of a batch or of a file."""
        if isinstance(result, EncodedBatch) and not result.skips:
            self.rows += result.rows
            self.reasons += [""] * len(result.rows)
            self.vectors.append(result.value)
            return
        skips = [result] if isinstance(result, Skip) else result.skips
        self.rows += [skip.row for skip in skips]
        self.reasons += [skip.reason for skip in skips]

    @property
    def stacked(self) -> NDArray[np.float32]:
        """All vectors."""
        return np.concatenate(self.vectors or [np.empty((0, 0), np.float32)])


def _parts(
    rep: Representation, items: Sequence[Item], settings: Settings, progress: Progress | None
) -> Iterator[_Part]:
    """The images in parts, each as soon as it is full."""
    if not items:
        return
    loaded = images.load_squares(
        items, settings.size, threads=settings.threads, **settings.reading.canvas_keywords
    )
    batches = batching.batches(loaded, _BATCH, 0, _PART)
    results: Iterable[EncodedBatch[NDArray[np.float32]] | Skip]
    results = engine.encode_or_skip(engine.vectors(rep), batches, settings.device)
    part, done = _Part(), 0
    with closing(loaded), closing(batches), closing(results):
        for result in results:
            part.add(result)
            done_now = done + len(part.rows)
            if progress:
                progress(f"embedding with {rep.spec}", done_now, len(items))
            if len(part.rows) >= _PART:
                yield part
                part, done = _Part(), done_now
    if part.rows:
        yield part


def _key(rep: Representation, folder: str, settings: Settings) -> str:
    """Everything but the images that decides the vectors."""
    reading = settings.reading.key
    return cache.key(_FORMAT, images.DECODER, rep.fingerprint, settings.size, reading, folder)


def _key_of(item: Item) -> str:
    """Of an image: its path and stamp, or its bytes where it has no stamp."""
    stamp = item.stamp
    if stamp is not None:
        return digest(item.raw, "\0", repr(stamp), size=10)
    try:
        return digest(item.raw, "\0", item.read(), size=10)
    except BadFile as reason:
        return digest(item.raw, "\0", str(reason), size=10)
