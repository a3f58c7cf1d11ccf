"""Networks in half precision, compiled where that saves more time than it takes.

torch.compile joins a network's operations into code of its own and packs the weights for it, once
for one shape of a batch. That takes seconds to minutes, and a run of some thousand images wins them
back. So a network is compiled only where the images that are left promise it; afterwards it is
measured again, and stays as it was where it is not faster or its vectors are not those of float32.

Compiled or not, the vectors are those of half precision: they differ by the rounding that it has
anyway, so that the fingerprint does not tell them apart, and an interrupted run may be resumed
either way.
"""

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from imrep.base import Representation, Sum
from imrep.datasets import Item
from imrep.embedding import engine, half_precision
from imrep.embedding.half_precision import MIN_COSINE
from imrep.embedding.shards import Rows, Settings
from imrep.errors import BadImage
from imrep.ops import parallel
from imrep.types import Image

GAIN = 1.5  # a conservative one, of a compiled network over the same in half precision
COMPILE_SECONDS = 25.0  # about, of a network
_MIN_GAIN = 1.1  # below which it was not worth it
_PIXELS = 8 * 224 * 224  # of a batch that is compiled for: a core's cache holds its maps
_PROBES = 8  # batches by which either is timed, at most


def vectors(
    rep: Representation,
    items: Sequence[Item],
    settings: Settings,
    progress: Callable[[str, int, int], None] | None = None,
) -> Rows:
    """The function that gives the vectors (n, d) of a batch, compiled where that pays.

    Args:
        rep: What embeds, on its device.
        items: The images that have yet to be embedded, of which the first are measured.
        settings: How they are read; they say whether anything is compiled.
        progress: Called with a sentence and a total of zero before and after.
    """
    plain = engine.vectors(rep)
    if not settings.compiles or not items or not _compilable(rep, settings):
        return plain
    progress = progress or (lambda *_: None)
    with torch.no_grad(), parallel.one_thread(1):
        length = _length(settings)
        batches = half_precision.first_batches(items, settings, length)
        function, remark = plain, _refusal(plain, batches, len(items), settings)
        if not remark:
            progress(f"compiling {rep.spec} …", 0, 0)
            function, remark = _compiled(rep, plain, batches, length)
    progress(remark, 0, 0)
    return function


class FixedBatch:
    """A function of batches of one length, called for batches of any.

    The last part is filled up with zeros, for which nothing has to be compiled again.

    Args:
        function: From images (length, 3, h, w) to vectors (length, d).
        length: Images in a batch.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], length: int) -> None:
        self.function, self.length = function, length

    def __call__(self, images: Image) -> Tensor:
        """Vectors (n, d)."""
        parts = [self._vectors(part) for part in images.split(self.length)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def _vectors(self, part: Tensor) -> Tensor:
        # Always a tensor of the same shape and strides, which compiled code is made for.
        if len(part) == self.length and part.is_contiguous():
            return self.function(part)
        batch = part.new_zeros(self.length, *part.shape[1:])
        batch[: len(part)] = part
        return self.function(batch)[: len(part)]


def _compilable(rep: Representation, settings: Settings) -> bool:
    """Whether all images have one shape, and all of it computes in half precision."""
    views = rep.views if isinstance(rep, Sum) else (rep,)
    eager = any(view.eager_only for view in views)
    return settings.size is not None and half_precision.is_chosen(rep) and not eager


def _refusal(plain: Rows, batches: Sequence[Image], count: int, settings: Settings) -> str:
    """Why nothing is compiled for `count` images; "" where it promises to pay."""
    try:
        for batch in batches:
            plain(batch)  # builds and allocates, which is no cost of an image
    except BadImage:
        batches = []
    if not batches:
        return "Not compiled: none of the first images can be embedded."
    (each,) = half_precision.seconds([plain], [*batches] * _PROBES)
    needed = _needed(each, engine.thread_count(settings.threads, settings.device))
    if count >= needed:
        return ""
    return (
        f"Not compiled: that takes about {COMPILE_SECONDS:.0f} s, which it saves from {needed:,} "
        f"images on; {count:,} are left."
    )


def _compiled(
    rep: Representation, plain: Rows, batches: Sequence[Image], length: int
) -> tuple[Rows, str]:
    """The compiled function or the plain one, and a sentence that says which and why."""
    start = time.perf_counter()
    try:
        compiled = engine.vectors(rep, compile_for(rep, length, batches[0]))
        took = time.perf_counter() - start
        with half_precision.single(rep):
            reference = [plain(batch) for batch in batches]
        cosine = min(half_precision.cosines(lambda _: reference[0], compiled, batches))
    except Exception as error:  # of many kinds, most of them private to torch
        return plain, f"Not compiled: torch.compile says {reason(error)[:200]}"
    if not cosine >= MIN_COSINE:
        return plain, (
            f"Not compiled: that changes the first vectors to a cosine of {cosine:.5f}, less than "
            f"{MIN_COSINE}."
        )
    before, after = half_precision.seconds([plain, compiled], [*batches] * _PROBES)
    if before < _MIN_GAIN * after:
        return plain, f"Not compiled: that is {before / after:.1f} times as fast here."
    return compiled, (
        f"Compiled in {took:.0f} s: {before / after:.1f} times as fast, the first vectors agree to "
        f"a cosine of {cosine:.5f}."
    )


def _needed(each: float, threads: int) -> int:
    """Images from which compiling pays, by the seconds that each takes without it."""
    saved = each * (1 - 1 / GAIN) / threads
    return math.ceil(round(COMPILE_SECONDS / saved, 6)) if saved > 0 else 2**62


def _length(settings: Settings) -> int:
    """Images in the batches that are compiled for."""
    if settings.device != "cpu" or settings.size is None:
        return settings.batch
    return max(2, min(settings.batch, _PIXELS // settings.size**2))


def compile_for(rep: Representation, length: int, images: Image) -> FixedBatch:
    """`rep.embed`, compiled for batches of a length; gradients are not recorded.

    Raises:
        Exception: Whatever torch's compiler raises, of which there is no list.
    """
    import torch._inductor.config as compiler

    function = FixedBatch(torch.compile(rep.embed, dynamic=False), length)
    # One process compiles: those that torch starts beside it load torch first. Frozen weights are
    # folded and packed.
    with silently(), compiler.patch(freezing=True, compile_threads=1):
        function(images)
    return function


@contextmanager
def silently() -> Iterator[None]:
    """Without the warnings and the log of torch's compiler and tracing, about their own parts."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def reason(error: Exception) -> str:
    """The first line of an error of torch's, which has many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'nothing else'}"
