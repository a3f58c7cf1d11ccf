"""`find_duplicates`: near-duplicates in groups, and which image of each to keep."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from imrep import images
from imrep.api import stored_images
from imrep.api.image_text import Options
from imrep.datasets import Item
from imrep.duplicates import stored
from imrep.duplicates.review import DuplicateGroups, review
from imrep.embedding import decoded_images
from imrep.errors import BadData
from imrep.retrieval import duplicate_sheet
from imrep.types import Picture

_SIZE = 64  # of the squares that are compared, as in `compare`


def find_duplicates(
    data: Any,
    *,
    threads: int | None = None,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> DuplicateGroups:
    """The near-duplicates among images, in groups, each with the image to keep.

    They are those that `compare` keeps on one side of every split: the same image shifted, cropped,
    mirrored, darkened or recompressed, found by alignment of thumbnails and not by the cosine of a
    vector alone. No vectors are needed; what was decoded is in the cache.

    Args:
        data: A folder, a split.csv, a zip, a parquet, a glob, or a list of paths; images in
            memory, as `embed` takes them; or a store, whose images are looked up where they were.
        threads: Threads that read; None for as many as torch has.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        progress: Called with a phrase, the number done and the total.

    Returns:
        The groups: sentence, rows, csv; `imrep.api.duplicates_sheet` draws them.

    Raises:
        BadData: There are no images, none can be read, or those of a store are gone.
    """
    options = Options(
        caller="duplicates",
        threads=threads,
        max_pixels=max_pixels,
        data_range=data_range,
        progress=progress,
    )
    items, notes = _items(data, options)
    report, count = progress or (lambda *_: None), threads or torch.get_num_threads()
    decoded = decoded_images.decode(
        items,
        decoded_images.digests(items, count),
        _SIZE,
        threads=count,
        reading=options.reading,
        progress=report,
    )
    if not decoded.items:
        reasons = "; ".join(f"{path}: {reason}" for path, reason in decoded.skipped[:3])
        raise BadData(f"duplicates needs an image that can be read, got none. {reasons}")
    duplicates = stored.find(decoded, report)
    return DuplicateGroups(
        groups=review(decoded, duplicates),
        images=len(decoded.items),
        uniform=int(duplicates.flat.sum()),
        skipped=decoded.skipped,
        notes=notes,
    )


def duplicates_sheet(
    result: DuplicateGroups, reading: images.Reading = images.DEFAULT_READING
) -> Picture:
    """A contact sheet of groups of near-duplicates, (1, 3, rows, columns), for `imrep.write`."""
    return duplicate_sheet.draw(result, reading)


def _items(data: Any, options: Options) -> tuple[Sequence[Item], tuple[str, ...]]:
    """The images, and sentences on how they were gathered."""
    if not stored_images.is_store(data):
        dataset = options.dataset(data)
        return dataset.items, tuple(dataset.notes)
    from imrep.store import open as open_store

    store = open_store(data)
    dataset = stored_images.dataset(store, options.caller)
    paths = set(store.rows(["path"])["path"].to_pylist())
    items = [item for item in dataset.items if item.path in paths]
    if not items:
        raise BadData(
            f"{options.caller} needs the images of {store.path}, got none of them in "
            f"{store.facts.data}. Embed them into the store again, from where they are now."
        )
    return items, stored_images.missing_note(store, len(paths) - len(items))
