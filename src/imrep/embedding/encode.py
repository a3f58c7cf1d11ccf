"""Vectors of every image by one representation and their cost, stored in the cache of `compare`.

A representation that learns from images (a codebook) is fitted on the training part of each fold
where there are fewer than 1,000 images: one that was fitted on all of them, even without labels,
overstates the accuracy. Its codes are cached, so that a fold repeats only the fit and the pooling.

The cost of an image is measured on some batches, which one thread encodes while the others wait:
batches that run at the same time slow each other down. The remaining ones share all threads.
"""

import copy
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from imrep import images
from imrep.adapters import OBJECT, MadeOutside
from imrep.base import Fitted, Representation
from imrep.codes import Code
from imrep.embedding import batching, cache, engine, fitting
from imrep.embedding.decoded_images import Decoded
from imrep.embedding.engine import EncodedBatch
from imrep.io import codes
from imrep.io.files import replacing
from imrep.ops import parallel
from imrep.types import Progress

PER_FOLD = 1000  # below this many images a codebook is fitted inside the folds
_SLICE_SECONDS = 0.2  # CPU time: batches are joined to at least this before a median is taken
_SEGMENTS = 5  # of the data set, in each of which batches are encoded alone to measure their cost
_COST_SECONDS = _SEGMENTS * _SLICE_SECONDS  # CPU time after which no further batch is alone
_WARM_UP = 8  # images


@dataclass(frozen=True)
class Encoded:
    """Vectors of one representation for every image.

    Args:
        key: Digest of the images and the representation.
        rep: The representation, fitted on all images where it is one that is fitted.
        side: Of the squares it read, in pixels.
        path: The file of the vectors.
        cpu_ms: CPU milliseconds an image on one thread, the median over slices of at least 0.2 s;
            infinite where nobody knows it.
        wall_ms: Wall-clock milliseconds an image, likewise.
        fit_seconds: CPU seconds to fit on all images; 0 where nothing is fitted.
        fitted: Whether something was fitted.
        raw: Folder of codes before pooling, where they are kept for fitting inside folds.
        folds: The file of the vectors by one trained on the training part of each fold, where the
            representation learns from labels.
        budget: How long that was trained, in words that follow "trained for"; else empty.
        trained_on: Where it learns from labels, the vectors (t + q, d) of t and q labelled images,
            by index, by one that is trained on the t alone.
    """

    key: str
    rep: Representation
    side: int
    path: Path
    cpu_ms: float
    wall_ms: float
    fit_seconds: float
    fitted: bool = False
    raw: Path | None = None
    folds: tuple[Path, ...] = ()
    budget: str = ""
    trained_on: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None

    @property
    def vectors(self) -> np.ndarray:
        """float32 (N, d), from the representation as it stands in `rep`.

        Mapped anew each time, so that the pages that were read leave memory with the array.
        """
        return np.load(self.path, mmap_mode="r")


def embed(rep: Representation, squares: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Vectors (n, d) of squares; nothing is cached.

    Raises:
        BadImage: If the representation refuses them, or a vector holds a number that is not finite.
    """
    parts = batching.equal_squares(squares)
    with (
        parallel.one_thread(),
        closing(engine.encode(engine.vectors(rep), parts, device)) as encoded,
    ):
        return np.concatenate([part.value for part in encoded])


def encode(rep: Representation, decoded: Decoded, device: str, progress: Progress) -> Encoded:
    """Vectors of every image, from the cache where it has them.

    Raises:
        BadImage: If the representation refuses them, or a vector holds a number that is not finite.
    """
    digest = cache.key("codes", decoded.key, rep.fingerprint)
    folder = cache.folder("codes", digest)
    raw, fit_seconds, fitted = None, 0.0, False
    with cache.held(folder), parallel.one_thread():
        if isinstance(rep, Fitted) and not rep.fitted:
            own = copy.deepcopy(rep)  # the caller's is fitted anew at another size
            if len(decoded.items) < PER_FOLD:
                # named by its batches: files of others would not line up with them
                name = f"raw-{batching.images_per_batch(decoded.size)}"
                raw = _write_codes(own, decoded, folder / name, device, progress)
            rep, fit_seconds = _fit(own, decoded, folder, raw, device)
            fitted = True
        stored = cache.GrowingArray(folder, "vectors")
        _embed(rep, decoded, stored, device, progress)
    costs = _measured(stored)
    return Encoded(
        key=digest,
        rep=rep,
        side=decoded.size,
        path=stored.path,
        cpu_ms=_median_ms(costs, "cpu"),
        wall_ms=_median_ms(costs, "wall"),
        fit_seconds=fit_seconds,
        fitted=fitted,
        raw=raw,
    )


def made_outside(rep: MadeOutside, decoded: Decoded) -> Encoded:
    """Vectors that were made elsewhere; their time is infinite where nobody knows it."""
    digest = cache.key("codes", decoded.key, rep.fingerprint)
    path = cache.folder("codes", digest) / "vectors.npy"
    if not path.is_file():
        with replacing(path) as draft, draft.open("wb") as file:
            np.save(file, rep.vectors, allow_pickle=False)
    ms = math.inf if rep.ms is None else rep.ms
    return Encoded(digest, rep, decoded.size, path, ms, ms, 0.0)


def forget(encoded: Sequence[Encoded]) -> None:
    """Remove the cached vectors of objects, which no later run can name."""
    for vectors in encoded:
        if vectors.rep.fingerprint.startswith(OBJECT):
            shutil.rmtree(vectors.path.parent, ignore_errors=True)


def of_fold(encoded: Encoded, fold: int, train: np.ndarray) -> np.ndarray:
    """Vectors (N, d) of all images by what was fitted or trained on the images of a fold alone."""
    if encoded.folds:
        return np.load(encoded.folds[fold], mmap_mode="r")
    return refit(encoded, train)


def refit(encoded: Encoded, train: np.ndarray) -> np.ndarray:
    """Vectors (N, d) of all images by a codebook fitted on the images `train` alone."""
    if encoded.raw is None:
        return encoded.vectors
    path = (
        cache.folder("refits", cache.key(encoded.key, encoded.raw.name, train.tolist()))
        / "codes.npz"
    )
    if (stored := cache.read_arrays(path)) is not None:
        return stored["vectors"]
    rep = copy.deepcopy(encoded.rep).cpu()
    assert isinstance(rep, Fitted)  # nothing else has codes in `raw`
    parts = _read_codes(encoded.raw)
    with torch.inference_mode(), parallel.one_thread():
        rep.fit_codes(list(_selected(parts, train)))
        vectors = torch.cat([rep.pool(part).float() for part in parts]).numpy()
    cache.write_arrays(path, vectors=vectors)
    return vectors


def _embed(
    rep: Representation,
    decoded: Decoded,
    stored: cache.GrowingArray,
    device: str,
    progress: Progress,
) -> None:
    """Embed the rows that the log does not have yet."""
    count = len(decoded.items)
    done = max((record["stop"] for record in stored.log), default=0)
    if done == count:
        return
    progress(rep.spec, done, count)
    with torch.inference_mode(), parallel.sharing(1):
        # The first call builds filters and allocates memory, which is no cost of an image.
        rep.embed(images.batch(decoded.squares[:_WARM_UP], device))
    measured = sum(record["cpu"] for record in _measured(stored))
    for part, alone in _encoded(rep, decoded, done, device, measured):
        stop, seconds = part.rows[-1] + 1, {"cpu": part.cpu, "wall": part.wall}
        record = {"stop": stop, "n": len(part.rows), "alone": alone, **seconds}
        stored.append(record, part.rows[0], part.value, count)
        progress(rep.spec, stop, count)


def _encoded(
    rep: Representation, decoded: Decoded, start: int, device: str, measured: float
) -> Iterator[tuple[EncodedBatch[np.ndarray], bool]]:
    """Every batch from a row on, and whether no other was encoded at the same time.

    Those that are alone come from all parts of the data set, since a cost may hang on the content.
    """
    rows = np.arange(start, len(decoded.items))
    batches = batching.equal_squares(decoded.squares, rows)
    count = -(-len(rows) // batching.images_per_batch(decoded.size))
    while segment := list(islice(batches, -(-count // _SEGMENTS))):
        remaining, seconds = iter(segment), 0.0
        for alone, threads in ((True, 1), (False, parallel.workers())):
            if alone and measured >= _COST_SECONDS:
                continue
            with (
                parallel.sharing(threads),
                closing(engine.encode(engine.vectors(rep), remaining, device)) as encoded,
            ):
                for part in encoded:
                    yield part, alone
                    seconds += part.cpu
                    if alone and seconds >= _SLICE_SECONDS:
                        break
            measured += seconds if alone else 0


def _measured(stored: cache.GrowingArray) -> list[dict[str, float]]:
    """The records of batches that were encoded alone."""
    return [record for record in stored.log if record.get("alone", True)]  # earlier ones all were


def _median_ms(costs: list[dict[str, float]], clock: str) -> float:
    """Median milliseconds an image over slices of at least 0.2 s CPU, or over all if it is less.

    A clock's resolution and a single interruption would dominate shorter slices.
    """
    slices, count, seconds, cpu = [], 0.0, 0.0, 0.0
    for cost in costs:
        count, seconds, cpu = count + cost["n"], seconds + cost[clock], cpu + cost["cpu"]
        if cpu >= _SLICE_SECONDS:
            slices.append(seconds / count)
            count, seconds, cpu = 0.0, 0.0, 0.0
    if not slices:
        slices = [seconds / max(count, 1)]
    return 1000 * float(np.median(slices))


def _fit(
    rep: Fitted, decoded: Decoded, folder: Path, raw: Path | None, device: str
) -> tuple[Fitted, float]:
    """Fit on the codes in `raw`, else on a sample of the images; or load an earlier run's."""
    saved = folder / "fitted"
    done = cache.read_json(folder / "fitted.json")
    if done is not None:
        rep.load_weights(saved)
        return rep, done["seconds"]
    start = time.process_time()
    with torch.inference_mode():
        if raw is not None:
            rep.fit_codes(_read_codes(raw))
        else:
            chosen = fitting.sample(len(decoded.items), seed=0)
            parts = batching.equal_squares(decoded.squares, chosen)
            rep.fit(part.images(device) for part in parts)
    seconds = time.process_time() - start
    rep.save(saved)
    cache.write_json(folder / "fitted.json", {"seconds": seconds})
    return rep, seconds


def _write_codes(
    rep: Fitted, decoded: Decoded, folder: Path, device: str, progress: Progress
) -> Path:
    """The codes of every image before pooling, a file for each batch."""
    count = len(decoded.items)
    missing = (
        batch
        for batch in batching.equal_squares(decoded.squares)
        if not _code_file(folder, batch.rows[0]).is_file()
    )
    with closing(engine.encode(rep.encode, missing, device)) as encoded:
        for part in encoded:
            codes.write(part.value.map(_to_cpu), _code_file(folder, part.rows[0]))
            progress(rep.spec, part.rows[-1] + 1, count)
    return folder


def _code_file(folder: Path, row: int) -> Path:
    return folder / f"{row:08}.safetensors"


def _read_codes(folder: Path) -> list[Code]:
    return [codes.read(path) for path in sorted(folder.glob("*.safetensors"))]


def _selected(parts: list[Code], rows: np.ndarray) -> Iterator[Code]:
    """The codes of some rows, part by part."""
    start = 0
    for part in parts:
        inside = rows[(rows >= start) & (rows < start + len(part))] - start
        if len(inside):
            yield part.map(lambda t, inside=inside: t[torch.as_tensor(inside)])  # type: ignore[misc]
        start += len(part)


def _to_cpu(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.cpu()
