"""`map`: a plane on which images with similar vectors lie close together."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from imrep import checks
from imrep.api.data import in_order
from imrep.api.image_text import Options
from imrep.datasets import Item
from imrep.errors import BadData
from imrep.images import MAX_PIXELS
from imrep.io.files import check_writable
from imrep.io.names import printable
from imrep.projection import labelled_vectors, thumbnails
from imrep.projection.image_map import ImageMap, check_suffix
from imrep.projection.labelled_vectors import LabelledVectors
from imrep.projection.layout import require
from imrep.projection.stored_layout import laid_out

_MAX_THREADS = 256
THUMBNAILS = 5_000


def map(  # noqa: PLR0913  # one argument for each option of the command
    vectors: Any,
    *,
    where: str | None = None,
    images: Any = None,
    labels: Sequence[Any] | None = None,
    out: str | Path | None = None,
    method: str = "pacmap",
    max_thumbnails: int = THUMBNAILS,
    seed: int = 0,
    threads: int = 2,
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ImageMap:
    """A map of images by their vectors, and how faithful it is.

    The same vectors and seed give the same map; its positions are stored in the cache.

    Args:
        vectors: A store (.lance) or file of vectors that `embed` wrote, or another parquet, npz,
            npy, safetensors or csv with paths; an array (n, d); {path: vector}; or paths and an
            array.
        where: A condition in SQL on the rows of a store, such as "label = 'cat'".
        images: The images, for thumbnails: a folder or whatever else `embed` takes, matched by
            their paths; None for those that a store remembers, else to look for them at the paths.
        labels: The class of each vector; None for those of the file.
        out: Page (.html) or table with x and y (.parquet) to write; None for none.
        method: "pacmap", "umap" (which needs umap-learn) or "pca".
        max_thumbnails: Thumbnails in the page, of images drawn at random where there are more.
        seed: Of all random numbers.
        threads: Files decoded at once.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        progress: Called with a phrase, the number done and the total.

    Returns:
        An `ImageMap`: positions, paths, labels, faithfulness, sentence, html.

    Raises:
        BadData: The vectors cannot be read, are fewer than two, not finite or all equal.
        BadParameter: An argument is out of its range.
        ExtraNeeded: The package of the method is not installed.
    """
    checks.integer(max_thumbnails, 0, thumbnails.MAX_COUNT, "map", "max_thumbnails")
    checks.integer(threads, 1, _MAX_THREADS, "map", "threads")
    require(method)
    if out is not None:
        check_suffix(Path(out))
        check_writable(out)
    options = Options(caller="map", max_pixels=max_pixels, data_range=data_range)
    source = labelled_vectors.read(vectors, where).relabelled(labels)
    if images is None and source.origin and Path(source.origin).exists():
        images = source.origin
    items = None if images is None else _items(options, images, source)
    layout, faithfulness = laid_out(source.vectors, method, seed=seed, progress=progress)
    readable = thumbnails.sources(source.paths, items, source.file and source.file.parent)
    tiles = thumbnails.draw(
        readable if max_thumbnails else {},
        source.paths or [f"row {row + 1}" for row in range(len(source.vectors))],
        max_count=max_thumbnails,
        reading=options.reading,
        threads=threads,
        seed=seed,
        progress=progress,
    )
    drawn_map = ImageMap(
        name=source.file.name if source.file else "vectors",
        source=source,
        layout=layout,
        faithfulness=faithfulness,
        thumbnails=tiles,
        seed=seed,
        notes=(*source.notes, *layout.notes, *_on_thumbnails(source, tiles.number, max_thumbnails)),
    )
    if out is not None:
        drawn_map.write(out)
    return drawn_map


def _items(options: Options, images: Any, source: LabelledVectors) -> Sequence[Item]:
    """The images of a data set.

    Raises:
        BadData: Vectors without paths are of another number.
    """
    items = in_order(options.dataset(images).items, images)
    if source.paths is None and len(items) != len(source.vectors):
        raise BadData(
            f"map needs as many images as vectors without paths, got {len(items):,} and "
            f"{len(source.vectors):,}. Give vectors with paths: parquet, or npz with paths."
        )
    return items


def _on_thumbnails(source: LabelledVectors, count: int, max_thumbnails: int) -> tuple[str, ...]:
    """Why images have no thumbnail."""
    total = len(source.vectors)
    if not max_thumbnails or count == total:
        return ()
    if count:
        return (f"{count:,} of {total:,} images have a thumbnail.",)
    example = f" such as {printable(source.paths[0])}" if source.paths else ""
    return (
        f"No image was at the paths of the vectors{example}: there are no thumbnails. Name their "
        "folder with --images.",
    )
