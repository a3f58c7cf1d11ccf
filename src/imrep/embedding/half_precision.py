"""Half precision for a representation that offers it, where it pays and hardly changes vectors."""

import copy
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import images
from imrep.base import Representation, Sum
from imrep.datasets import Item
from imrep.embedding import engine
from imrep.embedding.shards import Settings
from imrep.errors import BadFile, BadImage
from imrep.ops import parallel
from imrep.types import Image

MIN_COSINE = 0.9995  # between the vectors of either precision
_IMAGES = 8  # that are compared
_HALF = "bfloat16"
_PROBE_SECONDS = 0.05  # of the first function, after which the faster one is known


def choose(
    rep: Representation, items: Sequence[Item], settings: Settings
) -> tuple[Representation, str]:
    """The representation in half precision, or as it is, and a sentence that says which and why.

    Args:
        rep: One that has the parameter `precision`, or a sum with such a view; any other stays as
            it is.
        items: The images, of which the first that can be read are embedded both ways.
        settings: How they are read.
    """
    if not _parts(rep):
        return rep, f"{rep.name} has no half precision; --fast changes nothing."
    if all(part.precision == _HALF for part in _parts(rep)):
        return rep, "Half precision (bfloat16), as the spec says."
    if not _pays(settings.device):
        return rep, (
            "This processor has no instructions for bfloat16; --fast changes nothing, vectors are "
            "in float32."
        )
    half = copy.deepcopy(rep)
    for part in _parts(half):
        part.precision = _HALF  # type: ignore[assignment]  # a parameter, not a module
    with torch.no_grad(), parallel.one_thread(1):
        batches = first_batches(items, settings)
        exact, rounded = (engine.vectors(each.to(settings.device).eval()) for each in (rep, half))
        cosine = min(cosines(exact, rounded, batches), default=1.0)
        if cosine < MIN_COSINE:
            return rep, (
                f"Half precision changes the first vectors to a cosine of {cosine:.5f}, less than "
                f"{MIN_COSINE}: vectors are in float32."
            )
        gain = _gain(rep, half, batches)
    if gain < 1:
        return rep, (
            f"Half precision takes {1 / gain:.1f} times as long here: vectors are in float32."
        )
    return half, f"Half precision (bfloat16): the first vectors agree to a cosine of {cosine:.5f}."


def is_chosen(rep: Representation) -> bool:
    """Whether the representation, or every view of a sum, computes in half precision."""
    views = rep.views if isinstance(rep, Sum) else (rep,)
    return all(getattr(view, "precision", None) == _HALF for view in views)


@contextmanager
def single(rep: Representation) -> Iterator[None]:
    """Within it, the representation computes in float32."""
    parts = [part for part in _parts(rep) if part.precision == _HALF]
    for part in parts:
        part.precision = "float32"  # type: ignore[assignment]
    try:
        yield
    finally:
        for part in parts:
            part.precision = _HALF  # type: ignore[assignment]


def seconds(
    functions: Sequence[Callable[[Image], NDArray[np.float32]]], batches: Sequence[Image]
) -> list[float]:
    """Seconds an image of each function, by turns on batches that all have embedded before."""
    times, count = [0.0] * len(functions), 0
    for batch in batches:
        for i, function in enumerate(functions):
            start = time.perf_counter()
            try:
                function(batch)
            except BadImage:
                continue
            times[i] += time.perf_counter() - start
        count += len(batch)
        if times[0] > _PROBE_SECONDS:
            break
    return [each / count if count else 0.0 for each in times]


def cosines(
    first: Callable[[Image], NDArray[np.float32]],
    second: Callable[[Image], NDArray[np.float32]],
    batches: Sequence[Image],
) -> Iterator[float]:
    """Between the vectors of either function, of every image that it takes."""
    for batch in batches:
        try:
            pair = [function(batch) for function in (first, second)]
        except BadImage:  # the run itself says so
            continue
        for left, right in zip(*pair, strict=True):
            norms = float(np.linalg.norm(left) * np.linalg.norm(right))
            yield float(left @ right) / norms if norms else 1.0


def first_batches(items: Sequence[Item], settings: Settings, count: int = _IMAGES) -> list[Image]:
    """The first images that can be read: a batch of squares, or each alone at its own size."""
    squares = list(itertools.islice(_squares(items, settings), count))
    if settings.size is None:
        return [images.batch(square[None], settings.device) for square in squares]
    return [images.batch(np.stack(squares), settings.device)] if squares else []


def _parts(rep: Representation) -> list[Representation]:
    """The representation, or the views of a sum, that have half precision."""
    views = rep.views if isinstance(rep, Sum) else (rep,)
    return [view for view in views if "precision" in view.get_params()]


def _pays(device: str) -> bool:
    """Whether the device multiplies numbers of bfloat16 faster than those of float32."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def _gain(rep: Representation, half: Representation, batches: Sequence[Image]) -> float:
    """How many times as fast half precision is, by batches that both have embedded before."""
    single_seconds, half_seconds = seconds([engine.vectors(rep), engine.vectors(half)], batches)
    return single_seconds / half_seconds if half_seconds else 1.0


def _squares(items: Sequence[Item], settings: Settings) -> Iterator[NDArray[np.uint8]]:
    for item in items:
        try:
            yield images.square(item.read(), settings.size, **settings.reading.canvas_keywords)[0]
        except BadFile:
            continue
