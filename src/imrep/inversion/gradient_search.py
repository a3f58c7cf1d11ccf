"""A gradient search for an image with a given code.

The relative distance between codes is minimised with a total-variation prior. The search starts
from gray noise at an eighth of the size with a strong prior and ends in colour at full size with a
weak one. A code that determines the image is then met exactly; one that does not gives the
smoothest image that it admits.

With jitter, the image is shifted at random before each encoding: strided layers then leave no
pattern of their grid, and details whose position the code does not tell are blurred.

References:
    A. Mahendran and A. Vedaldi, "Understanding deep image representations by inverting them", CVPR
    2015. doi:10.1109/CVPR.2015.7299155
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.base import Fitted, Representation
from imrep.codes import Code, Points
from imrep.inversion.descent import descend
from imrep.ops.colour import to_ycbcr
from imrep.ops.resize import resize
from imrep.ops.solvers import Watch
from imrep.types import Image


class _Stage(NamedTuple):
    channels: int
    reduction: int  # of the image's side
    end: float  # share of all steps done at its end
    smoothness: float  # weight of the prior


_STAGES = (
    _Stage(1, 8, 0.2, 0.1),
    _Stage(1, 4, 0.4, 0.1),
    _Stage(1, 2, 0.6, 0.03),
    _Stage(3, 2, 0.75, 0.01),
    _Stage(3, 1, 1.0, 0.003),
)
_SMOOTH = 0.02  # weight of the prior above which Adam cannot produce isolated pixels
_JITTERED = 0.1  # least weight of the prior with jitter
_RATE = 0.02  # of Adam
_NOISE = 0.1  # standard deviation of the start
_CHROMA = 4.0  # weight of chrominance in the prior, since edges of colour are rarer
_MIN_CONTRAST = 0.01  # added to the contrast that divides the prior


def search(
    rep: Representation,
    code: Code,
    shape: Sequence[int],
    *,
    iterations: int,
    seed: int,
    jitter: int = 0,
    watch: Watch | None = None,
) -> tuple[Image, int]:
    """An image with this code, and the number of steps.

    Args:
        rep: A differentiable representation.
        code: Of one image.
        shape: (channels, height, width) of the image.
        iterations: Maximal number of steps.
        seed: Of the noise at the start and of the shifts.
        jitter: Maximal shift in pixels; steps are Adam's where there is any.
        watch: Called with the number of steps and the loss.
    """
    target = _targets(rep, code)
    first = [max(1, round(n / _STAGES[0].reduction)) for n in shape[1:]]
    image = _noise(first, seed).to(next(iter(target.values())).real)
    shift = _Shift(jitter, seed)
    done, planned = 0, 0
    for stage in _STAGES:
        size = [max(1, round(n / stage.reduction)) for n in shape[1:]]
        image = resize(image, *size).expand(-1, min(stage.channels, shape[0]), -1, -1)
        # Adam's steps at random shifts would leave noise under a weaker prior.
        smoothness = max(stage.smoothness, _JITTERED) if jitter else stage.smoothness
        loss = _objective(rep, target, shape, smoothness, shift)
        planned, steps = round(stage.end * iterations), round(stage.end * iterations) - planned
        if not jitter:
            result = descend(loss, image, iterations=steps, watch=_offset(watch, done))
            image, done, steps = result.point, done + result.iterations, steps - result.iterations
        # Quasi-Newton steps end at a kink of the loss. Adam walks over it.
        if steps and smoothness > _SMOOTH:
            following = _offset(watch, done)
            result = descend(
                loss, image, iterations=steps, method="adam", rate=_RATE, watch=following
            )
            image, done = result.point, done + result.iterations
    return image.expand(-1, shape[0], -1, -1), done


def _objective(
    rep: Representation,
    target: dict[str, Tensor],
    shape: Sequence[int],
    smoothness: float,
    shift: "_Shift",
) -> Callable[[Tensor], Tensor]:
    """Distance to the code plus prior, of a small or gray image enlarged to `shape`."""

    def loss(small: Tensor) -> Tensor:
        image = resize(small, *shape[1:]).expand(-1, shape[0], -1, -1)
        distance = _distance(_targets(rep, rep.encode(shift(image))), target)
        return distance + smoothness * _variation(image)

    return loss


class _Shift:
    """A random shift of an image by at most some pixels; what leaves it is mirrored at the border.

    Args:
        pixels: The maximum.
        seed: Of the shifts.
    """

    def __init__(self, pixels: int, seed: int) -> None:
        self.pixels, self.generator = pixels, torch.Generator().manual_seed(seed)

    def __call__(self, image: Image) -> Image:
        """The image, shifted anew."""
        height, width = image.shape[2:]
        pixels = min(self.pixels, height - 1, width - 1)
        if pixels <= 0:
            return image
        top, left = torch.randint(0, 2 * pixels + 1, (2,), generator=self.generator).tolist()
        padded = F.pad(image, (pixels,) * 4, mode="reflect")
        return padded[:, :, top : top + height, left : left + width]


def _offset(watch: Watch | None, done: int) -> Watch | None:
    return watch and (lambda steps, loss: watch(done + steps, loss))


def _noise(size: Sequence[int], seed: int) -> Image:
    """Gray noise, with contrast enough for codes that normalise it to have a gradient."""
    noise = torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(seed))
    return (0.5 + _NOISE * noise).clamp(0, 1)


def _targets(rep: Representation, code: Code) -> dict[str, Tensor]:
    """The differentiable tensors of a code: no counts, no labels.

    Detected points are compared by their pooled vector, since their number changes in the search.
    """
    if isinstance(code, Points) and not isinstance(rep, Fitted):
        return {"vector": rep.pool(code)}
    return {k: t for k, t in code.tensors().items() if t.is_floating_point() or t.is_complex()}


def _distance(current: dict[str, Tensor], target: dict[str, Tensor]) -> Tensor:
    """Squared distance over squared length, averaged over the code's tensors."""
    parts = [
        (current[name] - t).abs().square().sum() / t.abs().square().sum().clamp_min(1e-12)
        for name, t in target.items()
    ]
    return torch.stack(parts).mean()


def _variation(image: Image) -> Tensor:
    """Total variation per pixel over contrast, with a larger weight of chrominance.

    Without the division, a code that ignores contrast would be met by an image without contrast.
    """
    planes = to_ycbcr(image)
    steps = F.pad(planes, (0, 1, 0, 1), mode="replicate")
    across, down = steps.diff(dim=3)[:, :, :-1], steps.diff(dim=2)[..., :-1]
    length = (across.square() + down.square() + 1e-6).sqrt().mean((2, 3)).sum(0)
    weight = length.new_tensor([1.0, _CHROMA, _CHROMA])
    luma = planes[:, :1]
    contrast = luma.std(correction=min(1, luma.numel() - 1))  # 0 for a single pixel
    return (weight * length).sum() / (contrast + _MIN_CONTRAST)
