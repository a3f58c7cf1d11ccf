"""`embed`: the vectors of a set of images, in memory."""

import copy
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import adapters, checks, datasets, images
from imrep.api.data import in_order, source
from imrep.base import Representation
from imrep.errors import BadData
from imrep.io.frames import data_frame

if TYPE_CHECKING:
    from pandas import DataFrame

_MAX_BATCH = 2**20  # images
_MAX_THREADS = 256


@dataclass(frozen=True, repr=False)
class Embedding:
    """Vectors of images, in the order of `paths`.

    NumPy and scikit-learn take it where they take an array.

    Args:
        vectors: (n, d), float32.
        paths: Of each image; "000000", "000001" … of images in memory.
        labels: The class of each, None where there is none.
        skipped: (path, reason) of the files that could not be read; they have no row.
        representation: The representation; fitted on these images, where it needed that.
    """

    vectors: NDArray[np.float32]
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]
    skipped: tuple[tuple[str, str], ...]
    representation: Representation = field(compare=False)

    def __len__(self) -> int:
        return len(self.vectors)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.vectors.astype(dtype or self.vectors.dtype, copy=bool(copy))

    def __repr__(self) -> str:
        rows, columns = self.vectors.shape
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"Embedding({rows} × {columns} of {self.representation.spec}{skipped})"

    def to_pandas(self) -> "DataFrame":
        """A row per image: path, label, and a column for each number.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        name = self.representation.name
        columns: dict[str, Any] = {"path": self.paths, "label": self.labels}
        columns |= {f"{name}{i}": column for i, column in enumerate(self.vectors.T)}
        return data_frame(columns, "Embedding.to_pandas")


def embed(  # noqa: PLR0913  # one argument for each option of the command
    data: Any,
    representation: str | Representation | Callable[[torch.Tensor], Any],
    *,
    size: int | None = 64,
    batch: int = 64,
    seed: int = 0,
    threads: int | None = None,
    device: str = "cpu",
    download: bool = False,
    fast: bool = False,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Embedding:
    """The vectors of images, in memory; `imrep embed` writes them to a file.

    Args:
        data: A folder, a split.csv, a zip, tar shards, a COCO json, a parquet, a glob, a URI such
            as s3://bucket/photos, or a list of paths. Or images, or (images, labels): a list of
            paths, PIL images, arrays (h, w[, c]) or tensors (c, h, w), or one array (n, h, w[, c])
            or tensor (n, c, h, w); floats in [0, 1]. They are rounded to 8 bits and brought to
            `size`, as `compare` does; `Representation.embed` takes tensors as they are.
        representation: A spec, a representation, or a module or function from images (b, 3, h, w)
            to vectors (b, d). One that needs fitting is fitted on at most 3,000 of the images; an
            instance is copied for it.
        size: Side in pixels of the squares that images are read at; None keeps each at its size.
            A representation with a size of its own takes that.
        batch: Limit for the images that are encoded together.
        seed: Of the sample that is fitted on.
        threads: Threads that read and encode; None for as many as torch has. The vectors do not
            depend on it.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        fast: Whether a network is computed in half precision (bfloat16), where the processor has
            instructions for it and the first vectors agree to a cosine of 0.9995, and compiled
            where the number of images pays for it. `representation` of the result says which
            precision it was.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        progress: Called with a phrase, the number done and the total; a total of zero announces
            what takes long.

    Returns:
        An `Embedding`: vectors, paths, labels, skipped.

    Raises:
        BadData: There are no images, or none that can be read.
        UnknownName: A spec names nothing.
        BadParameter: An argument is out of its range.

    Example:
        >>> import numpy as np, imrep
        >>> images = np.random.default_rng(0).random((4, 16, 16, 3))
        >>> imrep.embed(images, "pixels:side=2").vectors.shape
        (4, 12)
    """
    from imrep.embedding import half_precision, vector_file

    rep = adapters.resolve(representation, "embed", download=download)
    rep = copy.deepcopy(rep) if rep.needs_fit and rep is representation else rep
    reading = images.Reading(max_pixels=max_pixels, data_range=data_range)
    _check(size, batch, threads)
    if data is None:
        raise BadData("embed needs a path, images, or (images, labels), got None. Try 'photos/'.")
    origin = source(data, reading, "embed")
    dataset = origin if isinstance(origin, datasets.Dataset) else datasets.find(origin)
    items = in_order(dataset.items, data)
    settings = vector_file.Settings(
        size=rep.canvas or size,
        batch=batch,
        threads=threads or torch.get_num_threads(),
        seed=seed,
        device=device,
        reading=rep.framed(reading),
        compiles=fast,
    )
    if fast:
        rep, _ = half_precision.choose(rep, items, settings)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "vectors.npz"
        run = vector_file.embed(items, rep, out, settings, progress)
        vectors = np.load(out)["vectors"]
    skipped = {path for path, _ in run.skipped}
    rows = [item for item in items if item.path not in skipped]
    paths, labels = tuple(item.path for item in rows), tuple(item.label for item in rows)
    return Embedding(vectors, paths, labels, run.skipped, rep)


def _check(size: int | None, batch: int, threads: int | None) -> None:
    if size is not None:
        checks.integer(size, 1, checks.MAX_SIDE, "embed", "size")
    checks.integer(batch, 1, _MAX_BATCH, "embed", "batch")
    if threads is not None:
        checks.integer(threads, 1, _MAX_THREADS, "embed", "threads")
