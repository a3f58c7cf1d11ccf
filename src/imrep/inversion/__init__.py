"""An image rebuilt from its code: exactly, approximately, or by gradient where nothing else can.

By gradient means searching for an image whose code is the one given: downhill on the relative
distance between codes, from gray noise, with a wish for smoothness to settle what the code leaves
open. It starts small and gray, where the wish is strong, and ends large and coloured, where it is
weak: so a code that says everything is met exactly, and one that says little gives a picture in
which one can see what that little is.

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

from imrep import checks
from imrep.base import Fitted, Representation, Sum
from imrep.codes import Code, Points, Views
from imrep.errors import BadImage, NoInverse
from imrep.inversion.descent import descend
from imrep.ops.colour import luminance, to_ycbcr
from imrep.ops.metrics import psnr, ssim
from imrep.ops.resize import resize
from imrep.types import Image

Watch = Callable[[int, float], None]
How = Literal["exact", "iterative", "approximate", "gradient"]

ITERATIONS = 300  # of a search, unless others are asked for
_STAGES = (  # of a search: channels, times smaller, share of the steps at its end, smoothness
    (1, 8, 0.2, 0.1),
    (1, 4, 0.4, 0.1),
    (1, 2, 0.6, 0.03),
    (3, 2, 0.75, 0.01),
    (3, 1, 1.0, 0.003),
)
_SMALL = 0.02  # smoothness from which specks cannot win, so that kinks may be walked over
_RATE = 0.02  # of Adam
_NOISE = 0.1  # deviation of the start
_COLOUR = 4.0  # edges of colour are rarer than edges of light
_LEAST = 0.01  # contrast below which smoothness counts as it is
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
    checks.image(image, rep.name)
    if iterations is not None:
        checks.whole(iterations, 1, checks.MAX_ITERATIONS, "invert", "iterations")
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
    """Search for an image with this code: a small gray one first, then larger ones, then colours.

    What is found small is where the next search starts, so that the code is met by large shapes as
    far as they can, and by specks only for the rest.
    """
    wanted = _numbers(rep, code)
    first = [max(1, round(n / _STAGES[0][1])) for n in shape[1:]]
    image = _noise(first, seed).to(next(iter(wanted.values())).real)
    done, given = 0, 0
    for channels, side, share, smooth in _STAGES:
        size = [max(1, round(n / side)) for n in shape[1:]]
        image = resize(image, *size).expand(-1, min(channels, shape[0]), -1, -1)

        loss = _objective(rep, wanted, shape, smooth)
        given, steps = round(share * iterations), round(share * iterations) - given
        found = descend(loss, image, iterations=steps, watch=_onwards(watch, done))
        image, done = found.values, done + found.iterations
        if found.iterations < steps and smooth > _SMALL:  # a kink: quasi-Newton steps end there
            steps -= found.iterations
            found = descend(loss, image, iterations=steps, method="adam", rate=_RATE)
            image, done = found.values, done + found.iterations
    return Rebuilt(image.expand(-1, shape[0], -1, -1), "gradient", done)


def _objective(
    rep: Representation, wanted: dict[str, Tensor], shape: Sequence[int], smooth: float
) -> Callable[[Tensor], Tensor]:
    """Distance to the code, and roughness, of a small or gray image enlarged to `shape`."""

    def loss(small: Tensor) -> Tensor:
        whole = resize(small, *shape[1:]).expand(-1, shape[0], -1, -1)
        apart = _distance(_numbers(rep, rep.encode(whole)), wanted)
        return apart + smooth * _roughness(whole)

    return loss


def _onwards(watch: Watch | None, done: int) -> Watch | None:
    return watch and (lambda steps, loss: watch(done + steps, loss))


def _noise(size: Sequence[int], seed: int) -> Image:
    """Gray, with enough contrast that codes which even it out have something to turn."""
    noise = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(seed))
    return (0.5 + _NOISE * noise).clamp(0, 1)


def _numbers(rep: Representation, code: Code) -> dict[str, Tensor]:
    """The tensors of a code that can move: counts and labels cannot.

    Of points that are found, and not laid out, the vector, since their number changes on the way.
    """
    if isinstance(code, Points) and not isinstance(rep, Fitted):
        return {"vector": rep.pool(code)}
    return {k: t for k, t in code.tensors().items() if t.is_floating_point() or t.is_complex()}


def _distance(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    """Squared distance over squared length, mean over the code's tensors."""
    parts = [
        (found[name] - t).abs().square().sum() / t.abs().square().sum().clamp_min(1e-12)
        for name, t in wanted.items()
    ]
    return torch.stack(parts).mean()


def _roughness(image: Image) -> Tensor:
    """Mean step between neighbours over the contrast; steps of colour count several times.

    Relative to the contrast, or codes that ignore contrast would be met by images that have none.
    """
    planes = to_ycbcr(image)
    steps = F.pad(planes, (0, 1, 0, 1), mode="replicate")
    across, down = steps.diff(dim=3)[:, :, :-1], steps.diff(dim=2)[..., :-1]
    length = (across.square() + down.square() + 1e-6).sqrt().mean((2, 3)).sum(0)
    weight = length.new_tensor([1.0, _COLOUR, _COLOUR])
    luma = planes[:, :1]
    contrast = luma.std(correction=min(1, luma.numel() - 1))  # one pixel has none
    return (weight * length).sum() / (contrast + _LEAST)


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
