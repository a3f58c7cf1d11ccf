"""`search`: the images of a folder that words, or an image, describe best."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from imrep import checks, images
from imrep.api import query_vectors, stored_images
from imrep.api.data import in_order
from imrep.api.image_text import Options
from imrep.api.store_searching import Request, check_folder_request, search_store
from imrep.base import Representation
from imrep.datasets import Item
from imrep.errors import BadData, short_repr
from imrep.io.names import printable
from imrep.language.unrelated import unrelated
from imrep.retrieval import contact_sheet
from imrep.retrieval.ranking import SearchResult, nearest
from imrep.types import Picture

_MAX_COUNT = 10_000


def search(  # noqa: PLR0913  # one argument for each option of the command
    data: Any,
    query: Any = None,
    representation: str | Representation | None = None,
    *,
    like: Sequence[Any] = (),
    unlike: Sequence[Any] = (),
    where: str | None = None,
    exact: bool = False,
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
            memory, as `embed` takes them; or a store, such as photos.lance, whose vectors are
            searched as they are.
        query: Words; or an image: its path, a tensor (3, h, w), an array (h, w, 3) or one of
            Pillow's. Text is an image where a file of that name exists. In a store also the path of
            a row; None where `like` or `unlike` say it.
        representation: A spec, or a representation; for words, one that embeds text. None for
            clip, and in a store for what wrote it.
        like: Further queries, in a store: hits are like the mean of all.
        unlike: Queries that hits should not be like, in a store: half their mean is subtracted.
        where: A condition in SQL on the rows of a store, such as "label = 'cat'".
        exact: Whether every row of a store is compared, also of a large one that has an index.
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
        StoreMismatch: The store was written by another representation.
        ExtraNeeded: A store needs a package that is not installed.
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
    request = Request(
        like=(() if query is None else (query,)) + tuple(like),
        unlike=tuple(unlike),
        where=where,
        count=count,
        exact=exact,
    )
    if stored_images.is_store(data):
        return search_store(data, request, representation, options)
    check_folder_request(request)
    (query,) = request.like
    representation = "clip" if representation is None else representation
    words = query_vectors.words(query)
    rep = options.resolve(representation)
    settings = options.settings(rep)
    if words is not None:
        vector = query_vectors.of_words(rep, words, progress)
    else:
        vector = query_vectors.of_image(rep, query, settings)
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
        query=words if words is not None else query_vectors.name(query),
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


def _is_query(item: Item, query: Any) -> bool:
    """Whether an image of the data is the very file of the query."""
    if not isinstance(query, str | Path) or item.file is None:
        return False
    return os.path.realpath(item.file) == os.path.realpath(Path(query).expanduser())
