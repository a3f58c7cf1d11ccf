"""What the gallery shows of a representation: its code's picture, an image rebuilt, and its cost.

Computed anew at every build, from three photographs that come with scikit-image, one
representation to a process. Nothing is fetched: what needs published weights is shown by the spec
its class calls an `example`, and says so.
"""

import inspect
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrep import catalog
from imrep.errors import NoInverse

if TYPE_CHECKING:
    from torch import Tensor

    from imrep.base import Representation
    from imrep.codes import Code

PHOTOGRAPHS = {"chelsea": "a cat", "coffee": "a cup", "brick": "a wall"}
_WIDEST = 900  # pixels of a picture; wider ones are made smaller
_PATIENCE = 0.15  # seconds for which encoding is repeated


@dataclass(frozen=True)
class Effort:
    """How large the photographs are, and how long searches may go on."""

    side: int
    iterations: int

    @classmethod
    def wanted(cls) -> "Effort":
        """Little under IMREP_DOCS=quick, which `make test` sets."""
        return cls(64, 4) if os.environ.get("IMREP_DOCS") == "quick" else cls(192, 100)


@dataclass(frozen=True)
class Shot:
    """One photograph: the picture of its code and the image rebuilt from it, as JPEG files."""

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
    iterations: int = 0
    refusal: str = ""  # why nothing was rebuilt


@cache
def gather(names: tuple[str, ...], effort: Effort) -> dict[str, Shown]:
    """Every representation, in as many processes as there are cores."""
    workers = min(len(names), len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, get_context("spawn"), _alone) as pool:
        return {shown.name: shown for shown in pool.map(partial(show, effort=effort), names)}


def spec_of(name: str) -> str:
    """What is shown of a name: itself, or its offline example where it would need weights."""
    entry = catalog.entry(name)
    return name if entry.card.weights == "none" else entry.example or name


def original(name: str, side: int) -> bytes:
    """A photograph as the representations see it."""
    return _jpeg(_square(name, side))


def show(name: str, effort: Effort) -> Shown:
    """Encode, draw and rebuild every photograph."""
    import torch

    rep = catalog.get(spec_of(name)).eval()
    side = rep.canvas or effort.side
    photographs = [_square(one, side) for one in PHOTOGRAPHS]
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
        ms=1000 * _seconds(rep, photographs[0]),
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
        picture = _jpeg(rep.picture(rep.encode(photograph), photograph))
    try:
        found = inversion.invert(rep, photograph, iterations=iterations)
    except NoInverse as error:
        return Shot(picture), {"refusal": str(error)}
    shot = Shot(picture, _jpeg(found.image), found.psnr, found.lost)
    return shot, {"how": found.how, "iterations": found.iterations}


def _seconds(rep: "Representation", photograph: "Tensor") -> float:
    """The least of several times: what else the machine does only adds."""
    import torch

    times: list[float] = []
    with torch.no_grad():
        while len(times) < 3 or sum(times) < _PATIENCE:
            began = time.perf_counter()
            rep.embed(photograph)
            times.append(time.perf_counter() - began)
    return min(times)


def _square(name: str, side: int) -> "Tensor":
    import torch

    from imrep import images

    found = find_spec("skimage")
    assert found is not None and found.origin is not None
    pixels, _ = images.square(Path(found.origin).parent / "data" / f"{name}.png", side)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def _jpeg(image: "Tensor") -> bytes:
    """A file that keeps the colour of single pixels."""
    from PIL import Image

    pixels = image[0].detach().clamp(0, 1).mul(255).round().byte().expand(3, -1, -1)
    drawn = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    drawn.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
    file = BytesIO()
    drawn.save(file, "JPEG", quality=90, subsampling=0)
    return file.getvalue()


def _alone() -> None:
    """One thread a process."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
