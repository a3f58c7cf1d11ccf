"""`embed`: the vectors of a set of images, in memory, in a file, or in a store."""

import copy
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack, overload

import numpy as np
import torch

from imrep import adapters, checks, datasets, images
from imrep.api import embedding_outputs
from imrep.api.data import in_order, source
from imrep.api.embedded import Embedding, Rows, of_output
from imrep.api.embedding_outputs import Job
from imrep.base import Representation
from imrep.datasets import Item
from imrep.errors import BadData, BadParameter
from imrep.io.names import as_path
from imrep.store import distributed, layout
from imrep.types import Progress

_MAX_BATCH = 2**20  # images
_MAX_THREADS = 256
_ENGINES = ("threads", "ray")
_DTYPES = ("float32", "float16")
Requested = str | Representation | Callable[[torch.Tensor], Any]


class _Options(TypedDict, total=False):
    """The options of `embed`, whose docstring says what they are."""

    out: str | Path | None
    size: int | None
    batch: int
    shard: int | None
    dtype: str | None
    seed: int
    threads: int | None
    device: str
    download: bool
    fast: bool
    engine: str
    workers: int | None
    ray_address: str | None
    max_pixels: int
    data_range: tuple[float, float] | None
    progress: Progress | None


@overload
def embed(data: Any, representation: Requested, **options: Unpack[_Options]) -> Embedding: ...
@overload
def embed(
    data: Any, representation: Sequence[Requested], **options: Unpack[_Options]
) -> dict[str, Embedding]: ...
def embed(  # noqa: PLR0913  # one argument for each option of the command
    data: Any,
    representation: Requested | Sequence[Requested],
    *,
    out: str | Path | None = None,
    size: int | None = 64,
    batch: int = 64,
    shard: int | None = None,
    dtype: str | None = None,
    seed: int = 0,
    threads: int | None = None,
    device: str = "cpu",
    download: bool = False,
    fast: bool = False,
    engine: str = "threads",
    workers: int | None = None,
    ray_address: str | None = None,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Progress | None = None,
) -> Embedding | dict[str, Embedding]:
    """The vectors of images: in memory, or with `out` in a file or a store.

    Args:
        data: A folder, a split.csv, a zip, tar shards, a COCO json, a parquet, a glob, a URI such
            as s3://bucket/photos, or a list of paths. Or images, or (images, labels): a list of
            paths, PIL images, arrays (h, w[, c]) or tensors (c, h, w), or one array (n, h, w[, c])
            or tensor (n, c, h, w); floats in [0, 1]. They are rounded to 8 bits and brought to
            `size`, as `compare` does; `Representation.embed` takes tensors as they are.
        representation: A spec, a representation, or a module or function from images (b, 3, h, w)
            to vectors (b, d). One that needs fitting is fitted on at most 3,000 of the images; an
            instance is copied for it. Or a list of them: each image is decoded once for all that
            read the same size.
        out: A file (.parquet, also without a suffix, .npz or .safetensors), which the same call
            resumes after an interruption, or a store (.lance), which it brings up to date; of a
            list of representations a folder, with a file for each. None for memory.
        size: Side in pixels of the squares that images are read at; None keeps each at its size.
            A representation with a size of its own takes that.
        batch: Limit for the images that are encoded together.
        shard: Images between two checkpoints; None for 256, in a store 2,000.
        dtype: Numbers of a store, "float32" or "float16"; None for those that it has, else float32.
        seed: Of the sample that is fitted on.
        threads: Threads that read and encode; None for as many as torch has. The vectors do not
            depend on it.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        fast: Whether a network is computed in half precision (bfloat16), where the processor has
            instructions for it and the first vectors agree to a cosine of 0.9995, and compiled
            where the number of images pays for it. `representation` of the result says which
            precision it was.
        engine: Who embeds for a store: "threads" of this process, or workers on "ray".
        workers: Workers on Ray; None for one on each processor, or on each GPU.
        ray_address: A Ray cluster; None for $RAY_ADDRESS, else this machine.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        progress: Called with a phrase, the number done and the total; a total of zero announces
            what takes long.

    Returns:
        An `Embedding`: vectors, paths, labels, skipped; of a list of representations one for each,
        by its spec. With `out` its `output` is what the command prints: path, rows, dim, seconds
        and more; vectors are read from there when they are asked for.

    Raises:
        BadData: There are no images, or none that can be read.
        UnknownName: A spec names nothing.
        BadParameter: An argument is out of its range, or `out` has another suffix.
        StoreMismatch: The store holds vectors of another representation, size or type.
        Busy: Another run writes to `out`.
        OSError: The system refuses to write.

    Example:
        >>> import numpy as np, imrep
        >>> images = np.random.default_rng(0).random((4, 16, 16, 3))
        >>> imrep.embed(images, "pixels:side=2").vectors.shape
        (4, 12)
        >>> imrep.embed(images, ["pixels:side=2", "histogram"])["pixels:side=2"].shape
        (4, 12)
    """
    several = isinstance(representation, list | tuple)
    requested: Any = representation if several else [representation]
    reps = _resolved(requested, download)
    _check(size, batch, shard, threads)
    files = _files(list(reps), out, several)
    _check_store(list(files.values()), dtype, engine, workers, ray_address)
    if data is None:
        raise BadData("embed needs a path, images, or (images, labels), got None. Try 'photos/'.")
    reading = images.Reading(max_pixels=max_pixels, data_range=data_range)
    job = Job(
        size=size,
        batch=batch,
        shard=shard,
        seed=seed,
        threads=threads or torch.get_num_threads(),
        device=device,
        reading=reading,
        fast=fast,
        dtype=dtype,
        data=str(data) if isinstance(data, str | Path) else "",
        cluster=distributed.Encoder(workers, ray_address, device) if engine == "ray" else None,
    )
    origin = source(data, reading, "embed")
    dataset = origin if isinstance(origin, datasets.Dataset) else datasets.find(origin)
    items = in_order(dataset.items, data)
    embeddings = (
        _in_files(items, reps, files, job, progress)
        if files
        else _in_memory(items, reps, job, progress)
    )
    return embeddings if several else next(iter(embeddings.values()))


def _resolved(requested: Sequence[Any], download: bool) -> dict[str, Representation]:
    """The representations by what they are called: the spec that was given, or their own."""
    if not requested:
        raise BadParameter("embed needs a representation, got an empty list. Try ['hog', 'dct'].")
    reps: dict[str, Representation] = {}
    for each in requested:
        if isinstance(each, str) and each in reps:
            continue
        rep = adapters.resolve(each, "embed", download=download)
        rep = copy.deepcopy(rep) if rep.needs_fit and rep is each else rep
        name = each if isinstance(each, str) else rep.spec
        if name in reps:
            raise BadParameter(f"embed needs each representation once, got {name} twice.")
        reps[name] = rep
    return reps


def _files(names: list[str], out: str | Path | None, several: bool) -> dict[str, Path]:
    """The file of each representation; none in memory."""
    if out is None:
        return {}
    path = as_path(out, "embed", empty=False)
    files = embedding_outputs.output_files(names, path, several=several)
    for file in files.values():
        embedding_outputs.check_name(file)
    return files


def _in_memory(
    items: Sequence[Item],
    reps: dict[str, Representation],
    job: Job,
    progress: Progress | None,
) -> dict[str, Embedding]:
    """The embeddings by files that are read at once and removed."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{number}.npz" for number, name in enumerate(reps)}
        embeddings = _in_files(items, reps, files, job, progress)
        return {name: _loaded(files[name], each, items) for name, each in embeddings.items()}


def _loaded(file: Path, embedding: Embedding, items: Sequence[Item]) -> Embedding:
    vectors = np.load(file)["vectors"]
    skipped = {path for path, _ in embedding.skipped}
    # not the paths of the file, in which bytes that are no UTF-8 are spelled otherwise
    present = [item for item in items if item.path not in skipped]
    paths, labels = tuple(item.path for item in present), tuple(item.label for item in present)
    return Embedding(
        lambda: Rows(vectors, paths, labels), embedding.skipped, embedding.representation
    )


def _in_files(
    items: Sequence[Item],
    reps: dict[str, Representation],
    files: dict[str, Path],
    job: Job,
    progress: Progress | None,
) -> dict[str, Embedding]:
    outputs = [(rep, files[name]) for name, rep in reps.items()]
    groups = embedding_outputs.grouped(items, outputs, job, lambda _: None)
    results = embedding_outputs.write(items, groups, job, progress)
    return {name: of_output(output, rep) for name, (output, rep) in zip(reps, results, strict=True)}


def _check(size: int | None, batch: int, shard: int | None, threads: int | None) -> None:
    if size is not None:
        checks.integer(size, 1, checks.MAX_SIDE, "embed", "size")
    checks.integer(batch, 1, _MAX_BATCH, "embed", "batch")
    if shard is not None:
        checks.integer(shard, 1, _MAX_BATCH, "embed", "shard")
    if threads is not None:
        checks.integer(threads, 1, _MAX_THREADS, "embed", "threads")


def _check_store(
    files: Sequence[Path],
    dtype: str | None,
    engine: str,
    workers: int | None,
    ray_address: str | None,
) -> None:
    """Refuse what only a store has for what is none."""
    checks.one_of(engine, _ENGINES, "embed", "engine")
    if dtype is not None:
        checks.one_of(dtype, _DTYPES, "embed", "dtype")
    if engine != "ray" and (workers is not None or ray_address is not None):
        raise BadParameter("embed needs engine='ray' for workers and ray_address, got 'threads'.")
    into_store = any(map(embedding_outputs.is_store, files))
    if not into_store and (dtype is not None or engine == "ray"):
        what = f"engine={engine!r}" if engine == "ray" else f"dtype={dtype!r}"
        actual = files[0] if files else "no out"
        raise BadParameter(
            f"embed needs a store for {what}, got {actual}. Try out='photos{layout.SUFFIX}'."
        )
    if engine == "ray":
        distributed.require_ray()
