"""The reconstruction of an image from its code: by an inverse, or by a gradient search.

References:
    A. Mahendran and A. Vedaldi, "Understanding deep image representations by inverting them", CVPR
    2015. doi:10.1109/CVPR.2015.7299155
"""

import inspect
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks
from imrep.base import Representation, Sum
from imrep.codes import Code, Views
from imrep.errors import BadImage, NoInverse
from imrep.inversion.gradient_search import search
from imrep.ops.colour import luminance, to_ycbcr
from imrep.ops.metrics import psnr, ssim
from imrep.ops.resize import resize
from imrep.ops.solvers import Watch
from imrep.types import Image

Method = Literal["exact", "iterative", "approximate", "gradient"]

ITERATIONS = 300  # default of a search
_RENAMED = {"how": "method", "kept": "explained", "lost": "summary"}
_CELL = 8  # px: side of the cells of the layout
_UNIFORM = 1e-6  # variance below which an aspect is not measured
_COMPLETE = 0.9995  # share that prints as 100 %


@dataclass(frozen=True)
class Reconstruction:
    """An image reconstructed from a code."""

    image: Tensor  # (1, channels, height, width) in [0, 1]
    method: Method
    iterations: int  # 0 for an inverse in closed form


@dataclass(frozen=True)
class Inversion:
    """An image reconstructed from a code, and its error."""

    image: Tensor = field(repr=False)  # (1, 1|3, height, width) in [0, 1]
    method: Method
    psnr: float  # dB, at most 160
    ssim: float
    explained: dict[str, float]  # share of the variance of layout, fine detail and colour
    summary: str  # the same as a sentence
    numbers: int  # in the code
    iterations: int  # 0 for an inverse in closed form
    seconds: float

    if not TYPE_CHECKING:  # hidden from type checkers, for which it would define any attribute

        def __getattr__(self, name: str) -> object:
            """Attributes by their deprecated names."""
            if name not in _RENAMED:
                raise AttributeError(f"Inversion has no attribute {name!r}")
            new = _RENAMED[name]
            warnings.warn(
                f"Inversion.{name} is deprecated. Use {new}.", FutureWarning, stacklevel=2
            )
            return getattr(self, new)


def invert(
    rep: Representation,
    image: Image,
    *,
    iterations: int | None = None,
    seed: int = 0,
    jitter: int = 0,
    watch: Watch | None = None,
) -> Inversion:
    """Encode one image, reconstruct it from the code alone, and measure the error.

    Args:
        rep: Any representation that has an inverse or is differentiable.
        image: One image, (1, 1|3, height, width).
        iterations: Maximal steps of an iterative inverse (default: its own) or a search (300).
        seed: Of the noise that a search starts from, and of its shifts.
        jitter: Maximal shift of the image at each step of a search, in pixels.
        watch: Called with the number of steps and the loss, during a search.

    Raises:
        NoInverse: If there is neither an inverse nor a gradient.
        BadImage: If there is more than one image.
    """
    checks.image(image, rep.name)
    if iterations is not None:
        checks.integer(iterations, 1, checks.MAX_ITERATIONS, "invert", "iterations")
    checks.integer(jitter, 0, checks.MAX_SIDE, "invert", "jitter")
    if len(image) != 1:
        raise BadImage(f"invert takes one image at a time, got a batch of {len(image)}.")
    with torch.no_grad():
        code = rep.encode(image)
    start = time.perf_counter()
    result = reconstruct(
        rep, code, image[0].shape, iterations=iterations, seed=seed, jitter=jitter, watch=watch
    )
    seconds = time.perf_counter() - start
    explained = explained_variance(image, result.image)
    return Inversion(
        image=result.image,
        method=result.method,
        psnr=psnr(image, result.image),
        ssim=ssim(image, result.image),
        explained=explained,
        summary=in_words(explained),
        numbers=numbers_in(code),
        iterations=result.iterations,
        seconds=seconds,
    )


def reconstruct(
    rep: Representation,
    code: Code,
    shape: Sequence[int],
    *,
    iterations: int | None = None,
    seed: int = 0,
    jitter: int = 0,
    watch: Watch | None = None,
) -> Reconstruction:
    """The image of one code, from the code, the parameters and the image's shape alone.

    Args:
        rep: The representation that encoded it.
        code: Of one image.
        shape: (channels, height, width) of the image.
        iterations: As in `invert`.
        seed: As in `invert`.
        jitter: As in `invert`.
        watch: As in `invert`.

    Raises:
        NoInverse: If there is neither an inverse nor a gradient.
    """
    view, view_code = _invertible(rep, code)
    if view.inverse != "none":
        return _by_inverse(view, view_code, shape, iterations)
    if not view.differentiable:
        raise NoInverse(
            f"{rep.spec} has no inverse, and no gradient reaches the image to search for one. "
            f"{_alternative(rep)}"
        )
    steps = iterations or ITERATIONS
    image, done = search(
        view, view_code, shape, iterations=steps, seed=seed, jitter=jitter, watch=watch
    )
    return Reconstruction(image, "gradient", done)


def numbers_in(code: Code) -> int:
    """How many real numbers a code has; a complex one counts as two."""
    return sum(t.numel() * (2 if t.is_complex() else 1) for t in code.tensors().values())


def explained_variance(image: Image, reconstruction: Image) -> dict[str, float]:
    """Share of the variance of three aspects of an image that a reconstruction explains, 0 to 1.

    `layout` is the luminance averaged over cells of 8 × 8 pixels, `fine detail` the remaining
    luminance, `colour` both chrominances. 0 means no better than a constant. Aspects in which the
    image is uniform are left out.
    """
    before, after = _aspects(image), _aspects(reconstruction)
    shares = {}
    for name, plane in before.items():
        variance = float((plane - plane.mean((2, 3), keepdim=True)).square().mean())
        if variance > _UNIFORM:
            error = float((plane - after[name]).square().mean())
            shares[name] = max(0.0, 1 - error / variance)
    return shares


def in_words(explained: dict[str, float]) -> str:
    """The explained variance of every aspect as one sentence, in ascending order."""
    if not explained:
        return "The image is uniform."
    parts = [
        f"{name} {100 if share >= _COMPLETE else int(100 * share)} %"
        for name, share in sorted(explained.items(), key=lambda item: item[1])
    ]
    return f"Variance explained: {', '.join(parts)}."


def _invertible(rep: Representation, code: Code) -> tuple[Representation, Code]:
    """The part of a sum to invert: an exact view, else all differentiable views, else any view."""
    if not isinstance(rep, Sum) or not isinstance(code, Views):
        return rep, code
    views = list(zip(rep.views, code.codes, strict=True))
    exact = [view for view in views if view[0].inverse == "exact"]
    smooth = [view for view in views if view[0].differentiable]
    approximate = [view for view in views if view[0].inverse == "approximate"]
    if exact or len(smooth) < 2:
        return (exact or approximate or smooth or views)[0]
    parts, codes = zip(*smooth, strict=True)
    return Sum(parts), Views(codes)


def _alternative(rep: Representation) -> str:
    """A parameter with which the representation can be inverted, or another command."""
    params = rep.get_params(deep=False)
    for key, value in params.items():
        if isinstance(value, bool):
            variant = type(rep)(**{**params, key: not value})
            if variant.differentiable or variant.inverse != "none":
                return f"Use {variant.spec}."
    return "`imrep picture` draws its code; `imrep list` shows which have either."


def _by_inverse(
    rep: Representation, code: Code, shape: Sequence[int], iterations: int | None
) -> Reconstruction:
    """Through the representation's own inverse."""
    step = inspect.signature(rep.invert).parameters.get("iterations")
    options = {} if step is None else {"iterations": iterations or step.default}
    with torch.no_grad():
        image = rep.invert(code, **options)
    image = resize(image.expand(-1, shape[0], -1, -1), shape[1], shape[2]).clamp(0, 1)
    if step is not None:
        return Reconstruction(image, "iterative", options["iterations"])
    return Reconstruction(image, "exact" if rep.inverse == "exact" else "approximate", 0)


def _aspects(image: Image) -> dict[str, Tensor]:
    luma = luminance(image.double())
    cells = (max(1, round(luma.shape[2] / _CELL)), max(1, round(luma.shape[3] / _CELL)))
    layout = F.interpolate(F.adaptive_avg_pool2d(luma, cells), luma.shape[2:], mode="bilinear")
    return {
        "layout": layout,
        "fine detail": luma - layout,
        "colour": to_ycbcr(image.double())[:, 1:],
    }
