"""Half precision for a representation that offers it, where it pays and hardly changes vectors."""

import copy
import itertools
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import images
from imrep.base import Representation
from imrep.datasets import Item
from imrep.embedding import engine
from imrep.embedding.vector_file import Settings
from imrep.errors import BadFile, BadImage
from imrep.ops import parallel
from imrep.types import Image

MIN_COSINE = 0.9995  # between the vectors of either precision
_IMAGES = 8  # that are compared
_HALF = "bfloat16"
_PROBE_SECONDS = 0.05  # of one precision, after which the faster one is known


def choose(
    rep: Representation, items: Sequence[Item], settings: Settings
) -> tuple[Representation, str]:
    """The representation in half precision, or as it is, and a sentence that says which and why.

    Args:
        rep: One that has the parameter `precision`; any other stays as it is.
        items: The images, of which the first that can be read are embedded both ways.
        settings: How they are read.
    """
    if "precision" not in rep.get_params():
        return rep, f"{rep.name} has no half precision; --fast changes nothing."
    if not _pays(settings.device):
        return rep, (
            "This processor has no instructions for bfloat16; --fast changes nothing, vectors are "
            "in float32."
        )
    half = copy.deepcopy(rep)
    half.precision = _HALF  # type: ignore[assignment]  # a parameter, not a module
    with torch.no_grad(), parallel.one_thread(1):
        batches = _batches(items, settings)
        cosine = min(_cosines(rep, half, batches, settings), default=1.0)
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


def _pays(device: str) -> bool:
    """Whether the device multiplies numbers of bfloat16 faster than those of float32."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def _gain(rep: Representation, half: Representation, batches: Sequence[Image]) -> float:
    """How many times as fast half precision is, by batches that both have embedded before."""
    seconds = [0.0, 0.0]
    for batch in batches:
        for i, each in enumerate((rep, half)):
            start = time.perf_counter()
            try:
                engine.vectors(each)(batch)
            except BadImage:
                continue
            seconds[i] += time.perf_counter() - start
        if seconds[0] > _PROBE_SECONDS:
            break
    return seconds[0] / seconds[1] if seconds[1] else 1.0


def _cosines(
    rep: Representation, half: Representation, batches: Sequence[Image], settings: Settings
) -> Iterator[float]:
    """Between the vectors of either, of the first images that can be read."""
    for batch in batches:
        try:
            pair = [engine.vectors(r.to(settings.device).eval())(batch) for r in (rep, half)]
        except BadImage:  # the run itself says so
            continue
        for single, double in zip(*pair, strict=True):
            norms = float(np.linalg.norm(single) * np.linalg.norm(double))
            yield float(single @ double) / norms if norms else 1.0


def _batches(items: Sequence[Item], settings: Settings) -> list[Image]:
    """The first images that can be read: a batch of squares, or one by one at their own size."""
    squares = list(itertools.islice(_squares(items, settings), _IMAGES))
    if settings.size is None:
        return [images.batch(square[None], settings.device) for square in squares]
    return [images.batch(np.stack(squares), settings.device)] if squares else []


def _squares(items: Sequence[Item], settings: Settings) -> Iterator[NDArray[np.uint8]]:
    for item in items:
        try:
            yield images.square(item.read(), settings.size, **settings.reading.canvas_keywords)[0]
        except BadFile:
            continue
