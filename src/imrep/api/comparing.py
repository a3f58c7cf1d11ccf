"""`compare`: which representation serves a set of images best."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from imrep import images, weights
from imrep.api.comparison import Comparison
from imrep.api.data import source
from imrep.datasets.target import Kind, Request
from imrep.io.names import as_path
from imrep.io.output_folder import claimed
from imrep.registry.signatures import renamed


@renamed(most="max_images")
def compare(  # noqa: PLR0913  # one argument for each option of the command
    data: Any = None,
    representations: Sequence[object] | None = None,
    out: str | Path = "report",
    *,
    size: int = 64,
    sizes: Sequence[int] = (),
    seed: int = 0,
    margin: float = 2.0,
    cues: bool = True,
    log: bool = False,
    groups: str | Path | Mapping[str, str] | None = None,
    same_object: str | Path | Mapping[str, str] | None = None,
    vectors: Mapping[str, Any] | None = None,
    ms: Mapping[str, float] | None = None,
    target: str | None = None,
    target_kind: Kind | None = None,
    max_images: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    download: bool = False,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    cache_limit: str | int | None = None,
    save: str | Path | None = None,
    save_which: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Which representation serves these images best, how sure that is, and what it costs.

    Args:
        data: A folder, a split.csv, a zip, a parquet, a glob; None for the built-in photographs. Or
            images, or (images, labels): a list of paths, PIL images, arrays (h, w[, c]) or
            tensors (c, h, w), or one array (n, h, w[, c]) or tensor (n, c, h, w); floats in [0, 1].
        representations: Specs, sums such as "hog+histogram" among them; representations; modules or
            functions from images (b, 3, h, w) to vectors (b, d). None for every one that can run
            here.
        out: Folder for the report.
        size: Side in pixels of the squares that the images are read at.
        sizes: Further sides, for the curve of accuracy against size.
        seed: Of folds, samples and noise.
        margin: Points of accuracy within which cost decides.
        cues: Whether to change the images, to see what their classes hang on: colour, layout, fine
            detail, outlines.
        log: Whether to compare numbers by their ratios, so that a few large ones do not decide: the
            logarithm is predicted, of 1 more where some are 0.
        groups: Images that stay in one fold: a csv with path,group, or the group of each path;
            images in memory have the paths "000000", "000001" …
        same_object: Images that should retrieve each other, likewise.
        vectors: Vectors made elsewhere that are compared too, by their name in tables and in sums
            such as "mine+hog": a file (.parquet, .npz, .npy, .csv, .safetensors), {path: vector},
            (paths, array (n, d)), or an array with a row for every image that was found, sorted by
            path, or in the order of images in memory. Rows belong to images by equal paths; else
            by the same file; else where one path ends in the other; else by names; else by names
            without suffix.
        ms: Milliseconds an image of some of these vectors; without, their cost is not known.
        target: The column of the table that holds what is predicted, or the name of y in memory.
            None for the column label, value or labels; one of several has to be named.
        target_kind: "class"; "value", a number; or "labels", several for an image, separated by |.
            None for what the column says: label and folders are classes, value numbers, labels
            sets of labels; of another column numbers with a point or over 20 different ones are
            values. In memory, floats with a fraction are values, lists or columns of 0 and 1
            labels.
        max_images: Limit for the images, sampled with the classes in proportion.
        threads: Threads that encode; None for as many as torch has. Costs are measured on one.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        cache_limit: Size of the cache, "5GB" or in bytes, above which the least recently used
            entries are deleted at the end; "none" for no limit. None for IMREP_CACHE_LIMIT, else
            5 GB. Entries that this run used stay.
        save: Folder for the model that was measured, fitted to all images, for
            `imrep.load_model` and `imrep predict`. It holds the vectors of the training images.
        save_which: Its spec, or "together"; "" for the recommended one, and then nothing is saved
            where nothing is recommended (`Comparison.saved_text`).
        progress: Called with a phrase, the number done and the total; with a total of 0 the phrase
            says how long what follows will take.

    Returns:
        A `Comparison`; its repr is the sentence and the table.

    Raises:
        BadData: There are no images, or none that can be read; or `out` holds what
            compare did not write; or vectors are not finite numbers, of other images, or a label.
        Busy: Another run writes into `out`.
        OSError: The system does not let it be written; finished work stays for the next call.
        BadParameter: An argument is out of its range.
        UnknownName: A spec names nothing.
    """
    import torch

    from imrep import report
    from imrep.comparison import protocol
    from imrep.comparison.settings import Inputs, Settings
    from imrep.embedding import cache
    from imrep.embedding.cache import limits

    limit = limits.limit(cache_limit)
    reading = images.Reading(max_pixels=max_pixels, data_range=data_range)
    request = Request(target, target_kind)
    inputs = Inputs(
        data=source(data, reading, "compare", request),
        specs=_listed(representations),
        vectors=vectors,
        ms=ms,
        groups=_groups(groups),
        same_object=_groups(same_object),
        max_images=max_images,
        seed=seed,
        target=request,
    )
    settings = Settings(
        out=as_path(out, "compare", "a folder for its report"),
        size=size,
        sizes=sizes if isinstance(sizes, str | int) else tuple(sizes),  # type: ignore[arg-type]
        seed=seed,
        margin=margin,
        cues=cues,
        log=log,
        threads=torch.get_num_threads() if threads is None else threads,
        device=device,
        reading=reading,
        save=None if save is None else as_path(save, "compare", "a folder to save in", empty=False),
        save_which=save_which,
    )
    report_progress = progress or _silent
    fetching = weights.allow_download() if download else nullcontext()
    with claimed(settings.out, "compare"), fetching, cache.pruned(limit, report_progress):
        finished = protocol.run(inputs, settings, report_progress)
        report_progress("writing the report", 0, 1)
        report.write(finished.folder)
    return Comparison(finished.folder, finished.models, finished.saving)


def _listed(representations: Any) -> tuple[object, ...] | None:
    """The representations as a tuple; a single one counts as a list of it."""
    if representations is None:
        return None
    several = isinstance(representations, list | tuple)
    return (tuple(representations) if several else (representations,)) or None


def _groups(groups: str | Path | Mapping[str, str] | None) -> Path | Mapping[str, str] | None:
    return Path(groups) if isinstance(groups, str | Path) else groups


def _silent(what: str, done: int, total: int) -> None:
    """No progress is reported."""
