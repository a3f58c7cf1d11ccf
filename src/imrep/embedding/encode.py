"""Vectors of every image by one representation and what they cost, in batches that outlive a kill.

A representation that learns from images (a codebook) is fitted on the training part of each fold
where there are fewer than 1,000 images; a codebook fitted on all of them, labels unseen, flatters
by two or three points. Its codes are kept, so that a fold redoes only the fit and the assignment.
"""

import copy
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from imrep import images
from imrep.adapters import OBJECT, Ready
from imrep.base import Fitted, Representation
from imrep.codes import Code
from imrep.embedding import cache
from imrep.embedding.decoded_images import Decoded, Progress
from imrep.errors import BadImage
from imrep.io import codes
from imrep.ops import parallel

PER_FOLD = 1000  # below this many images a codebook is fitted inside the folds
_FIT_ON = 3000
_SLICE = 0.2  # CPU seconds: batches are joined to at least this before a median is taken
_PIXELS = 64 * 64 * 64  # about as many pixels a batch


@dataclass(frozen=True)
class Encoded:
    """Vectors of one representation for every image.

    Args:
        key: Digest of the images and the representation.
        rep: The representation, fitted on all images where it is one that is fitted.
        side: Of the squares it read, in pixels.
        path: Where the vectors lie.
        cpu_ms: CPU milliseconds an image, the median over slices of at least 0.2 s.
        wall_ms: Wall-clock milliseconds an image, likewise.
        fit_seconds: CPU seconds to fit on all images; 0 where nothing is fitted.
        fitted: Whether something was fitted.
        raw: Folder of codes before pooling, where they are kept for fitting inside folds.
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

    @property
    def vectors(self) -> np.ndarray:
        """float32 (N, d), from the representation as it stands in `rep`.

        Mapped anew each time, so that what was looked at leaves memory with the array.
        """
        return np.load(self.path, mmap_mode="r")


def batches(n: int, size: int) -> Iterator[slice]:
    """Slices of n images of size × size, at least 8 images each."""
    step = int(np.clip(_PIXELS // size**2, 8, 256))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def embed(rep: Representation, squares: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Vectors (n, d) of squares, nothing kept."""

    def vectors(part: slice) -> torch.Tensor:
        with torch.inference_mode():  # a thread has its own
            return rep.embed(images.batch(squares[part], device)).float().cpu()

    with parallel.one_thread() as threads:
        parts = batches(len(squares), squares.shape[1])
        return torch.cat(
            list(parallel.ordered_map(vectors, parts, _threads(threads, device)))
        ).numpy()


def encode(rep: Representation, decoded: Decoded, device: str, progress: Progress) -> Encoded:
    """Vectors of every image, from the cache where they are there.

    Raises:
        BadImage: If a vector holds a number that is not finite.
    """
    digest = cache.key("codes", decoded.key, rep.fingerprint)
    folder = cache.folder("codes", digest)
    raw, fit_seconds, fitted = None, 0.0, False
    log, path = cache.Log(folder / "log.jsonl"), folder / "vectors.npy"
    with cache.held(folder), parallel.one_thread():
        if isinstance(rep, Fitted) and not rep.fitted:
            own = copy.deepcopy(rep)  # the one given is fitted anew at another size
            few = len(decoded.squares) < PER_FOLD
            raw = _codes(own, decoded, folder / "raw", device, progress) if few else None
            rep, fit_seconds = _fit(own, decoded, folder, raw, device)
            fitted = True
        log.repair()
        _embed(rep, decoded, path, log, device, progress)
    costs = list(log)
    return Encoded(
        key=digest,
        rep=rep,
        side=decoded.size,
        path=path,
        cpu_ms=_median(costs, "cpu"),
        wall_ms=_median(costs, "wall"),
        fit_seconds=fit_seconds,
        fitted=fitted,
        raw=raw,
    )


def ready(rep: Ready, decoded: Decoded) -> Encoded:
    """Vectors made elsewhere, in the order of the images.

    Raises:
        BadParameter: An image has none.
    """
    digest = cache.key("codes", decoded.key, rep.fingerprint)
    path = cache.folder("codes", digest) / "vectors.npy"
    vectors = rep.of(decoded.items)
    stored = cache.growing(path, vectors.shape, np.float32)
    stored[:] = vectors
    stored.flush()
    return Encoded(digest, rep, decoded.size, path, 0.0, 0.0, 0.0)


def forget(encoded: Sequence[Encoded]) -> None:
    """Drop the vectors of objects, which no later run could ask for."""
    for one in encoded:
        if one.rep.fingerprint.startswith(OBJECT):
            shutil.rmtree(one.path.parent, ignore_errors=True)


def refit(encoded: Encoded, train: np.ndarray) -> np.ndarray:
    """Vectors (N, d) of all images by a codebook fitted on the images `train` alone."""
    if encoded.raw is None:
        return encoded.vectors
    path = cache.folder("refits", cache.key(encoded.key, train.tolist())) / "codes.npz"
    if (stored := cache.read_arrays(path)) is not None:
        return stored["vectors"]
    rep = copy.deepcopy(encoded.rep).cpu()
    assert isinstance(rep, Fitted)  # nothing else has codes in `raw`
    parts = _read_codes(encoded.raw)
    with torch.inference_mode(), parallel.one_thread():
        rep.fit_codes(list(_chosen(parts, train)))
        vectors = torch.cat([rep.pool(part).float() for part in parts]).numpy()
    cache.write_arrays(path, vectors=vectors)
    return vectors


def _embed(
    rep: Representation,
    decoded: Decoded,
    path: Path,
    log: cache.Log,
    device: str,
    progress: Progress,
) -> None:
    """Embed what the log does not have yet; each batch is on disk before the log says so."""
    n = len(decoded.squares)
    done = max((record["stop"] for record in log), default=0)
    if done < n:
        with torch.inference_mode():
            rep.embed(images.batch(decoded.squares[:8], device))  # warm-up, dropped
        missing = [part for part in batches(n, decoded.size) if part.stop > done]
        timed = parallel.ordered_map(
            lambda part: _timed(rep, images.batch(decoded.squares[part], device)),
            missing,
            _threads(parallel.workers(), device),
        )
        with closing(timed):
            for part, (record, values) in zip(missing, timed, strict=True):
                progress(rep.spec, part.start, n)
                if not np.isfinite(values).all():
                    raise BadImage(f"{rep.spec} gave numbers that are not finite.")
                stored = cache.growing(path, (n, values.shape[1]), np.float32)
                stored[part] = values
                stored.flush()
                log.append({"stop": part.stop, **record})


def _threads(count: int, device: str) -> int:
    """How many batches are encoded at once."""
    return count if device == "cpu" else 1


def _timed(rep: Representation, seen: torch.Tensor) -> tuple[dict[str, float], np.ndarray]:
    """Vectors, and what they cost the one thread that made them."""
    cpu, wall = time.thread_time(), time.perf_counter()
    with torch.inference_mode():
        values = rep.embed(seen).float().cpu().numpy()
    spent = {"cpu": time.thread_time() - cpu, "wall": time.perf_counter() - wall}
    return {"n": len(seen), **spent}, values


def _median(costs: list[dict[str, float]], clock: str) -> float:
    """Median milliseconds an image over slices of at least 0.2 s CPU, or over all if it is less."""
    slices, count, seconds, cpu = [], 0.0, 0.0, 0.0
    for cost in costs:
        count, seconds, cpu = count + cost["n"], seconds + cost[clock], cpu + cost["cpu"]
        if cpu >= _SLICE:
            slices.append(seconds / count)
            count, seconds, cpu = 0.0, 0.0, 0.0
    if not slices:
        slices = [seconds / max(count, 1)]
    return 1000 * float(np.median(slices))


def _fit(
    rep: Fitted, decoded: Decoded, folder: Path, raw: Path | None, device: str
) -> tuple[Fitted, float]:
    """Fit on all images (at most 3,000, drawn with seed 0), or load what was fitted before."""
    saved = folder / "fitted"
    done = cache.read_json(folder / "fitted.json")
    if done is not None:
        rep.load_weights(saved)
        return rep, done["seconds"]
    n = len(decoded.squares)
    chosen = np.sort(np.random.default_rng(0).choice(n, min(n, _FIT_ON), replace=False))
    start = time.process_time()
    with torch.inference_mode():
        if raw is not None:
            rep.fit_codes(_read_codes(raw))
        else:
            parts = [chosen[part] for part in batches(len(chosen), decoded.size)]
            rep.fit(images.batch(decoded.squares[part], device) for part in parts)
    seconds = time.process_time() - start
    rep.save(saved)
    cache.write_json(folder / "fitted.json", {"seconds": seconds})
    return rep, seconds


def _codes(rep: Fitted, decoded: Decoded, folder: Path, device: str, progress: Progress) -> Path:
    """The codes of every image before pooling, a file a batch."""
    n = len(decoded.squares)

    def write(part: slice) -> int:
        path = folder / f"{part.start:08}.safetensors"
        if not path.is_file():
            with torch.inference_mode():  # a thread has its own
                code = rep.encode(images.batch(decoded.squares[part], device))
            codes.write(code.map(_cpu), path)
        return part.start

    threads = _threads(parallel.workers(), device)
    with closing(parallel.ordered_map(write, batches(n, decoded.size), threads)) as written:
        for start in written:
            progress(rep.spec, start, n)
    return folder


def _read_codes(folder: Path) -> list[Code]:
    return [codes.read(path) for path in sorted(folder.glob("*.safetensors"))]


def _chosen(parts: list[Code], rows: np.ndarray) -> Iterator[Code]:
    """The chosen rows, part by part."""
    start = 0
    for part in parts:
        inside = rows[(rows >= start) & (rows < start + len(part))] - start
        if len(inside):
            yield part.map(lambda t, inside=inside: t[torch.as_tensor(inside)])  # type: ignore[misc]
        start += len(part)


def _cpu(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.cpu()
