"""What the gallery shows of a representation: its code's picture, an image rebuilt, and its cost.

Computed anew at every build. Nothing is fetched: what needs published weights is shown by the spec
its class calls an `example`, and says so.
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
    """One photograph, the picture of its code and the image rebuilt from it, as JPEG files."""

    original: bytes
    picture: bytes
    rebuilt: bytes | None = None
    psnr: float = 0.0
    lost: str = ""


@dataclass(frozen=True)
class Shown:
    """One representation on all photographs."""

    name: str
    spec: str
    caption: str  # what is drawn, as the code that draws it says
    fitted: bool
    side: int
    dim: int
    ms: float  # to encode and pool one image, one thread
    shots: tuple[Shot, ...]
    how: str = ""  # of inversion.How, or nothing
    iterations: int = 0  # at most, where it iterates
    refusal: str = ""  # why nothing was rebuilt


def spec_of(name: str) -> str:
    """What is shown of a name: itself, or its offline example where it would need weights."""
    entry = catalog.entry(name)
    return name if entry.card.weights == "none" else entry.example or name


def show(name: str, effort: Effort) -> Shown:
    """Encode, draw and rebuild every photograph."""
    import torch

    rep = factory.get(spec_of(name)).eval()
    side = rep.canvas or effort.side
    photographs = [square(one, side) for one in PHOTOGRAPHS]
    fitted = rep.needs_fit
    if fitted:
        rep.fit(torch.cat(photographs))  # type: ignore[operator]  # what needs to be fitted has it
    with torch.no_grad():
        code = rep.encode(photographs[0])
        dim = rep.pool(code).shape[1]
    found = [_shot(rep, photograph, effort.iterations) for photograph in photographs]
    return Shown(
        name=name,
        spec=rep.spec,
        caption=_caption(rep, code),
        fitted=fitted,
        side=side,
        dim=dim,
        ms=1000 * _seconds(rep, photographs[0], effort.timing),
        shots=tuple(shot for shot, _ in found),
        **found[0][1],
    )


def _caption(rep: "Representation", code: "Code") -> str:
    """The docstring of the representation's own `picture`, else that of its kind of code."""
    from imrep.base import Representation
    from imrep.drawing import draw

    own = type(rep).picture is not Representation.picture
    drawn = type(rep).picture if own else draw.dispatch(type(code))
    return " ".join((inspect.getdoc(drawn) or "").split())


def _shot(
    rep: "Representation", photograph: "Tensor", iterations: int
) -> tuple[Shot, dict[str, Any]]:
    """One photograph, and how it was rebuilt or why not."""
    import torch

    from imrep import inversion

    with torch.no_grad():
        picture = jpeg(rep.picture(rep.encode(photograph), photograph))
    try:
        found = inversion.invert(rep, photograph, iterations=iterations)
    except NoInverse as error:
        return Shot(jpeg(photograph), picture), {"refusal": str(error)}
    shot = Shot(jpeg(photograph), picture, jpeg(found.image), found.psnr, found.lost)
    return shot, {"how": found.how, "iterations": iterations}


def _seconds(rep: "Representation", photograph: "Tensor", timing: float) -> float:
    """The least of several times: what else the machine does only adds."""
    import torch

    times: list[float] = []
    with torch.no_grad():
        while not times or sum(times) < timing:
            began = time.perf_counter()
            rep.embed(photograph)
            times.append(time.perf_counter() - began)
    return min(times)
