"""`search`: the images of a folder that words, or an image, describe best."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import checks, images
from imrep.api.data import in_order
from imrep.api.image_text import Options
from imrep.base import Representation
from imrep.datasets import Item, file_types, in_memory
from imrep.embedding.image_vectors import Settings, unit
from imrep.errors import BadData, short_repr
from imrep.io.names import printable
from imrep.language import text_vectors
from imrep.language.unrelated import unrelated
from imrep.retrieval import contact_sheet
from imrep.retrieval.ranking import SearchResult, nearest
from imrep.types import Picture

_MAX_COUNT = 10_000


def search(  # noqa: PLR0913  # one argument for each option of the command
    data: Any,
    query: Any,
    representation: str | Representation = "clip",
    *,
    count: int = 12,
    size: int | None = 64,
    threads: int | None = None,
    device: str = "cpu",
    download: bool = False,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> SearchResult:
    """The images that are most similar to a query, and whether any shows what it says.

    The first search of a folder embeds it into the cache; later ones embed what is new. The same
    query is compared with a hundred unrelated pictures, parts of photographs that come with
    scikit-image and scikit-learn, so that a score has a meaning.

    Args:
        data: A folder, a split.csv, a zip, a parquet, a glob, or a list of paths; or images in
            memory, as `embed` takes them.
        query: Words; or an image: its path, a tensor (3, h, w), an array (h, w, 3) or one of
            Pillow's. Text is an
            image where a file of that name exists.
        representation: A spec, or a representation; for words, one that embeds text.
        count: Images to return.
        size: Side in pixels of the squares that images are read at, unless the representation has
            its own; None keeps each at its own size.
        threads: Threads that read and encode; None for as many as torch has.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        progress: Called with a phrase, the number done and the total.

    Returns:
        A `SearchResult`: hits, sentence, is_match; `imrep.api.sheet` draws it.

    Raises:
        BadData: There are no images, none can be read, or the query is empty.
        BadFile: The image of the query cannot be read.
        BadParameter: The representation does not embed the query.
        WeightsNeeded: Its weights are not on this machine.
    """
    checks.integer(count, 1, _MAX_COUNT, "search", "count")
    options = Options(
        caller="search",
        size=size,
        threads=threads,
        device=device,
        download=download,
        max_pixels=max_pixels,
        data_range=data_range,
        progress=progress,
    )
    words = _words(query)
    rep = options.resolve(representation)
    settings = options.settings(rep)
    if words is not None:
        vector = text_vectors.embed(text_vectors.bilingual(rep, "search"), [words], progress)[0]
    else:
        vector = _of_image(rep, query, settings)
    dataset = options.dataset(data)
    items = list(in_order(dataset.items, data))
    if words is None:
        items = [item for item in items if not _is_query(item, query)]
    if not items:
        raise BadData(f"search needs other images than the query, got only {short_repr(query)}.")
    embedded = options.vectors(rep, dataset, data, items)
    reference = unrelated(rep, vector, settings, progress)
    hits, above = nearest(embedded, vector, reference, count)
    left_out = (f"{printable(str(query))} is the query itself and left out.",)
    return SearchResult(
        query=words if words is not None else _name(query),
        is_image=words is None,
        spec=rep.spec,
        hits=hits,
        images=len(embedded),
        above=above,
        threshold=reference.threshold(len(embedded)),
        unrelated=len(reference),
        computed=embedded.computed,
        skipped=embedded.skipped,
        notes=(*dataset.notes, *(left_out if len(items) < len(dataset.items) else ())),
    )


def sheet(result: SearchResult, reading: images.Reading = images.DEFAULT_READING) -> Picture:
    """A contact sheet of what a search gave, (1, 3, rows, columns), for `imrep.write`."""
    title = result.query if result.is_image else f'"{result.query}"'
    return contact_sheet.draw(title, result.sentence, result.hits, reading)


def is_file(query: str) -> bool:
    """Whether a text is the name of a file."""
    try:
        return "\0" not in query and Path(query).expanduser().is_file()
    except OSError:  # longer than the system allows
        return False


def _words(query: Any) -> str | None:
    """The query as words; None where it is an image.

    Raises:
        BadData: It is empty, or the path of an image that does not exist.
    """
    if not isinstance(query, str) or is_file(query):
        return None
    words = " ".join(query.split())
    if not words:
        raise BadData("search needs words or an image, got an empty text. Say what to look for.")
    if " " not in words and file_types.by_name(words) == "picture":
        raise BadData(f"search needs words or an image, got no file {printable(words)}.")
    return words


def _of_image(rep: Representation, query: Any, settings: Settings) -> NDArray[np.float32]:
    """The vector of an image, of length one.

    Raises:
        BadData: It is no image.
        BadFile: It cannot be read.
    """
    source = Path(query).expanduser() if isinstance(query, str | Path) else query
    (item,) = in_memory.dataset([source], reading=settings.reading, caller="search").items
    pixels, _ = images.square(item.read(), settings.size, **settings.reading.canvas_keywords)
    with torch.no_grad():
        vector = rep.embed(images.batch(pixels[None], settings.device)).float().cpu().numpy()
    return unit(vector)[0]


def _name(query: Any) -> str:
    return printable(Path(query).name) if isinstance(query, str | Path) else "the image"


def _is_query(item: Item, query: Any) -> bool:
    """Whether an image of the data is the very file of the query."""
    if not isinstance(query, str | Path) or item.file is None:
        return False
    return os.path.realpath(item.file) == os.path.realpath(Path(query).expanduser())
