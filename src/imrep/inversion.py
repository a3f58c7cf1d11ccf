"""An image rebuilt from its code: exactly, approximately, or by gradient where nothing else can.

By gradient means searching for an image whose code is the one given: L-BFGS on the relative
distance between codes, from grey with a little noise, with a weak wish for smoothness to settle
what the code leaves open.

References:
    A. Mahendran and A. Vedaldi, "Understanding deep image representations by inverting them", CVPR
    2015. doi:10.1109/CVPR.2015.7299155
"""

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import check
from imrep.base import Representation, Sum
from imrep.codes import Code, Views
from imrep.errors import BadImage, NoInverse
from imrep.ops.colour import luminance, to_ycbcr
from imrep.ops.descend import descend
from imrep.ops.resize import resize
from imrep.ops.similarity import psnr, ssim
from imrep.types import Image

Watch = Callable[[int, float], None]
How = Literal["exact", "iterative", "approximate", "gradient"]

ITERATIONS = 300  # of a search, unless others are asked for
_SMOOTH = 1e-3  # weight of the mean step between neighbours against a relative distance of 1
_NOISE = 0.02  # a flat start has no gradient in codes of edges
_COARSE = 8  # pixels of a coarse cell
_FLAT = 1e-6  # variance below which there is nothing to keep
_WHOLE = 0.9995  # share that prints as 100 %


@dataclass(frozen=True)
class Rebuilt:
    """An image found for a code."""

    image: Tensor  # (1, channels, height, width) in [0, 1]
    how: How
    iterations: int  # 0 where the inverse is in closed form


@dataclass(frozen=True)
class Inversion:
    """An image rebuilt from a code, and how near it came."""

    image: Tensor  # (1, 1|3, height, width) in [0, 1]
    how: How
    psnr: float  # dB, at most 160
    ssim: float
    kept: dict[str, float]  # share of the variance left of layout, fine detail and colour
    lost: str  # the same in words
    iterations: int  # 0 where the inverse is in closed form
    seconds: float


def invert(
    rep: Representation,
    image: Image,
    *,
    iterations: int | None = None,
    seed: int = 0,
    watch: Watch | None = None,
) -> Inversion:
    """Encode one image, rebuild it from the code alone, and measure what is left.

    Args:
        rep: Any representation that has an inverse or lets gradients through.
        image: One image, (1, 1|3, height, width).
        iterations: Most steps of an iterative inverse (default: its own) or a search (300).
        seed: Of the noise that a search starts from.
        watch: Called with the steps done and the loss, during a search.

    Raises:
        NoInverse: If there is neither an inverse nor a gradient.
        BadImage: If there is more than one image.
    """
    check.image(image, rep.name)
    if len(image) != 1:
        raise BadImage(f"invert takes one image at a time, got a batch of {len(image)}.")
    with torch.no_grad():
        code = rep.encode(image)
    began = time.perf_counter()
    found = rebuild(rep, code, image[0].shape, iterations=iterations, seed=seed, watch=watch)
    seconds = time.perf_counter() - began
    kept = share_kept(image, found.image)
    return Inversion(
        image=found.image,
        how=found.how,
        psnr=psnr(image, found.image),
        ssim=ssim(image, found.image),
        kept=kept,
        lost=in_words(kept),
        iterations=found.iterations,
        seconds=seconds,
    )


def rebuild(
    rep: Representation,
    code: Code,
    shape: Sequence[int],
    *,
    iterations: int | None = None,
    seed: int = 0,
    watch: Watch | None = None,
) -> Rebuilt:
    """The image of one code, from nothing but the code, the parameters and the image's shape.

    Args:
        rep: Where the code came from.
        code: Of one image.
        shape: (channels, height, width) of the image wanted.
        iterations: As in `invert`.
        seed: As in `invert`.
        watch: As in `invert`.

    Raises:
        NoInverse: If there is neither an inverse nor a gradient.
    """
    one, part = _invertible(rep, code)
    if one.inverse != "none":
        return _by_itself(one, part, shape, iterations)
    if not one.differentiable:
        raise NoInverse(
            f"{rep.spec} has no inverse, and no gradient reaches the image to search for one. "
            f"{_way_in(rep)}"
        )
    return _by_gradient(one, part, shape, iterations or ITERATIONS, seed, watch)


def share_kept(image: Image, rebuilt: Image) -> dict[str, float]:
    """The share of the variance that is still there, 0 to 1, of what the eye tells apart.

    `layout` is the luminance in cells of 8 × 8 pixels, `fine detail` the rest of the luminance,
    `colour` both chrominances. What the image itself hardly has is left out.
    """
    before, after = _aspects(image), _aspects(rebuilt)
    shares = {}
    for name, wanted in before.items():
        spread = float((wanted - wanted.mean((2, 3), keepdim=True)).square().mean())
        if spread > _FLAT:
            error = float((wanted - after[name]).square().mean())
            shares[name] = max(0.0, 1 - error / spread)
    return shares


def in_words(kept: dict[str, float]) -> str:
    """What was lost, worst first, as one sentence."""
    parts = [
        f"{_amount(share)} of the {name} ({int(100 * share)} % kept)"
        for name, share in sorted(kept.items(), key=lambda item: item[1])
        if share < _WHOLE
    ]
    return f"Lost {', '.join(parts)}." if parts else "Lost nothing an eye could see."


def _invertible(rep: Representation, code: Code) -> tuple[Representation, Code]:
    """What to go by: of a sum, an exact view, else all that let gradients through, else any."""
    if not isinstance(rep, Sum) or not isinstance(code, Views):
        return rep, code
    views = list(zip(rep.views, code.codes, strict=True))
    exact = [view for view in views if view[0].inverse == "exact"]
    smooth = [view for view in views if view[0].differentiable]
    near = [view for view in views if view[0].inverse == "approximate"]
    if exact or len(smooth) < 2:
        return (exact or near or smooth or views)[0]
    parts, codes = zip(*smooth, strict=True)
    return Sum(parts), Views(codes)


def _way_in(rep: Representation) -> str:
    """A switch of the representation that lets gradients through, or where else to look."""
    params = rep.get_params()
    for key, value in params.items():
        if isinstance(value, bool):
            other = type(rep)(**{**params, key: not value})
            if other.differentiable or other.inverse != "none":
                return f"Use {other.spec}."
    return "`imrep picture` draws its code; `imrep list` shows what has either."


def _by_itself(
    rep: Representation, code: Code, shape: Sequence[int], iterations: int | None
) -> Rebuilt:
    """Through the representation's own inverse."""
    step = inspect.signature(rep.invert).parameters.get("iterations")
    more = {} if step is None else {"iterations": iterations or step.default}
    with torch.no_grad():
        image = rep.invert(code, **more)
    image = resize(image.expand(-1, shape[0], -1, -1), shape[1], shape[2]).clamp(0, 1)
    if step is not None:
        return Rebuilt(image, "iterative", more["iterations"])
    return Rebuilt(image, "exact" if rep.inverse == "exact" else "approximate", 0)


def _by_gradient(
    rep: Representation,
    code: Code,
    shape: Sequence[int],
    iterations: int,
    seed: int,
    watch: Watch | None,
) -> Rebuilt:
    """Through a search for an image with this code."""
    wanted = _numbers(code)
    noise = torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))
    start = (0.5 + _NOISE * noise).to(next(iter(wanted.values())).real)

    def loss(image: Tensor) -> Tensor:
        apart = _distance(_numbers(rep.encode(image)), wanted)
        return apart + _SMOOTH * _roughness(image)

    found = descend(loss, start, iterations=iterations, watch=watch)
    return Rebuilt(found.values, "gradient", found.iterations)


def _numbers(code: Code) -> dict[str, Tensor]:
    """The tensors of a code that can move: counts and labels cannot."""
    return {k: t for k, t in code.tensors().items() if t.is_floating_point() or t.is_complex()}


def _distance(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    """Squared distance over squared length, mean over the code's tensors."""
    parts = [
        (found[name] - t).abs().square().sum() / t.abs().square().sum().clamp_min(1e-12)
        for name, t in wanted.items()
    ]
    return torch.stack(parts).mean()


def _roughness(image: Image) -> Tensor:
    """Mean absolute step between neighbours, rounded off at zero."""
    steps = F.pad(image, (0, 1, 0, 1), mode="replicate")
    across, down = steps.diff(dim=3)[:, :, :-1], steps.diff(dim=2)[..., :-1]
    return (across.square() + down.square() + 1e-6).sqrt().mean()


def _aspects(image: Image) -> dict[str, Tensor]:
    light = luminance(image.double())
    cells = (max(1, round(light.shape[2] / _COARSE)), max(1, round(light.shape[3] / _COARSE)))
    layout = F.interpolate(F.adaptive_avg_pool2d(light, cells), light.shape[2:], mode="bilinear")
    return {
        "layout": layout,
        "fine detail": light - layout,
        "colour": to_ycbcr(image.double())[:, 1:],
    }


def _amount(share: float) -> str:
    bounds = ((0.95, "a little"), (0.5, "some"), (0.1, "most"))
    return next((words for least, words in bounds if share >= least), "nearly all")
