"""Small denoising autoencoders, trained on five photographs and tested on four others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import page
import torch
from torch import Tensor

from imrep.ops.metrics import psnr
from imrep.represent.learned.dae.noises import NOISES

TRAINING = ("astronaut", "chelsea", "coffee", "china", "flower")
TEST = ("camera", "coins", "brick", "moon")
_SIDE = 256  # pixels of a test image, cropped to its middle
_WIDTH, _PATCH = 8, 32  # channels at full size; pixels of a training patch


@dataclass(frozen=True)
class Effort:
    """Trainings of each network, steps of each, test images."""

    seeds: int
    steps: int
    images: int = len(TEST)


@dataclass
class Trial:
    """What one trained network does to the test images, each figure their mean."""

    noisy: float  # PSNR in dB of denoised images
    clean: float  # PSNR in dB of images without noise, passed through the network
    gradient: float  # mean gradient of denoised images over that of the clean ones
    edges: float  # share of the clean images' gradients that is left in the denoised ones
    pictures: list[Tensor] = field(repr=False)


def trial(form: dict[str, Any], noise: dict[str, Any], effort: Effort, seed: int) -> Trial:
    """Train on pairs of `form`, and test with `noise`; both are parameters of dae."""
    import denoising  # of benchmarks

    pictures = [page.photograph(name)[0] for name in TRAINING]
    settings = {"width": _WIDTH, **noise, **form}
    network = denoising.train(settings, pictures, effort.steps, seed, _PATCH)
    tests = targets(effort)
    results = [denoising.clean(network, x) for x in degraded(noise, effort)]
    through = [denoising.clean(network, x) for x in tests]
    return Trial(
        noisy=denoising.mean_psnr(results, tests),
        clean=denoising.mean_psnr(through, tests),
        gradient=denoising.sharpness(results, tests),
        edges=denoising.edges(results, tests),
        pictures=results,
    )


def targets(effort: Effort) -> list[Tensor]:
    """The test images without noise."""
    return [_middle(page.photograph(name)) for name in TEST[: effort.images]]


def degraded(noise: dict[str, Any], effort: Effort) -> list[Tensor]:
    """With noise, the same for all networks; not clipped."""
    images, add = targets(effort), NOISES[noise["noise"]]
    generators = [torch.Generator().manual_seed(i) for i in range(len(images))]
    pairs = zip(images, generators, strict=True)
    return [add(image[0], noise["high"], generator)[0][None] for image, generator in pairs]


def untouched(noise: dict[str, Any], effort: Effort) -> float:
    """Mean PSNR in dB of the noisy images, clipped."""
    pairs = zip(degraded(noise, effort), targets(effort), strict=True)
    values = [psnr(a.clamp(0, 1), b) for a, b in pairs]
    return sum(values) / len(values)


def detail(images: Sequence[Tensor]) -> Tensor:
    """Where a picture of the results is cut: the head and the camera of the first test image."""
    return images[0][..., 30:158, 70:198].clamp(0, 1)


def _middle(image: Tensor) -> Tensor:
    top, left = ((n - _SIDE) // 2 for n in image.shape[2:])
    return image[..., top : top + _SIDE, left : left + _SIDE]
