"""Entries of the gallery: the picture of a code, the reconstruction from it, and the cost.

They are computed at every build. Nothing is downloaded: a representation that needs published
weights is replaced by the spec that its class calls `example`, with a note.
"""

import inspect
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generate.photographs import PHOTOGRAPHS, Effort, jpeg, square

from imrep import factory
from imrep.errors import NoInverse
from imrep.registry import catalog

if TYPE_CHECKING:
    from torch import Tensor

    from imrep.base import Representation
    from imrep.codes import Code


@dataclass(frozen=True)
class Shot:
    """One photograph, the picture of its code and the reconstruction, as JPEG files."""

    original: bytes
    picture: bytes
    reconstruction: bytes | None = None
    psnr: float = 0.0
    summary: str = ""


@dataclass(frozen=True)
class Example:
    """One representation on all photographs."""

    name: str
    spec: str
    caption: str  # the docstring of the function that draws the picture
    fitted: bool
    side: int
    dim: int
    code_numbers: int
    ms: float  # to encode and pool one image in one thread
    shots: tuple[Shot, ...]
    method: str = ""  # inversion.Method, or empty
    iterations: int = 0  # maximal, of an iterative method
    refusal: str = ""  # the reason without a reconstruction


def spec_of(name: str) -> str:
    """The spec of an entry: the name, or an example that needs no weights."""
    entry = catalog.entry(name)
    return name if entry.card.weights in ("none", "included") else entry.example or name


def example(name: str, effort: Effort) -> Example:
    """Encode, draw and reconstruct every photograph."""
    import torch

    from imrep import inversion

    rep = factory.get(spec_of(name)).eval()
    side = rep.canvas or effort.side
    photographs = [square(name, side) for name in PHOTOGRAPHS]
    fitted = rep.needs_fit
    if fitted:
        rep.fit(torch.cat(photographs))  # type: ignore[operator]  # defined if needs_fit
    with torch.no_grad():
        code = rep.encode(photographs[0])
        dim = rep.pool(code).shape[1]
    shots = [_shot(rep, photograph, effort.iterations) for photograph in photographs]
    return Example(
        name=name,
        spec=rep.spec,
        caption=_caption(rep, code),
        fitted=fitted,
        side=side,
        dim=dim,
        code_numbers=inversion.numbers_in(code),
        ms=1000 * _seconds(rep, photographs[0], effort.timing),
        shots=tuple(shot for shot, _ in shots),
        **shots[0][1],
    )


def _caption(rep: "Representation", code: "Code") -> str:
    """The docstring of the representation's own `picture`, else that of its kind of code."""
    from imrep.base import Representation
    from imrep.drawing import draw

    own = type(rep).picture is not Representation.picture
    function = type(rep).picture if own else draw.dispatch(type(code))
    return " ".join((inspect.getdoc(function) or "").split())


def _shot(
    rep: "Representation", photograph: "Tensor", iterations: int
) -> tuple[Shot, dict[str, Any]]:
    """One photograph, and the method of its reconstruction or the reason without one."""
    import torch

    from imrep import inversion

    with torch.no_grad():
        picture = jpeg(rep.picture(rep.encode(photograph), photograph))
    try:
        result = inversion.invert(rep, photograph, iterations=iterations)
    except NoInverse as error:
        return Shot(jpeg(photograph), picture), {"refusal": str(error)}
    shot = Shot(jpeg(photograph), picture, jpeg(result.image), result.psnr, result.summary)
    return shot, {"method": result.method, "iterations": iterations}


def _seconds(rep: "Representation", photograph: "Tensor", timing: float) -> float:
    """The minimum of several times, since other load only adds to them."""
    import torch

    times: list[float] = []
    with torch.no_grad():
        while not times or sum(times) < timing:
            start = time.perf_counter()
            rep.embed(photograph)
            times.append(time.perf_counter() - start)
    return min(times)
