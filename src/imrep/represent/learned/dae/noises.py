"""Noise for training: what is added to a clean image, and what should come out again.

Each kind takes a clean image (c, h, w) in [0, 1], a strength and a generator on the CPU, and gives
the noisy image and its target. Values are not clipped, except where a camera does it. The target is
the clean image, but for a simulated camera: its target is what the camera makes of a scene without
noise, so that a network does not learn to undo the optics.
"""

import io
from collections.abc import Callable

import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

Pair = tuple[Tensor, Tensor]

_BLOCK = 8  # pixels per side of what knock-out sets to zero
_GAMMA = 2.2
_GREEN = torch.tensor([[0.0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
_RED_BLUE = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
_SHARES = (("poisson", 0.08), ("demosaiced", 0.12), ("blotches", 0.10), ("none", 0.03))


def gaussian(clean: Tensor, strength: float, generator: Generator) -> Pair:
    """White noise of a standard deviation of `strength` / 255."""
    return clean + strength / 255 * _normal(clean.shape, generator), clean


def poisson(clean: Tensor, strength: float, generator: Generator) -> Pair:
    """Shot noise: counts of light particles, `strength` of them for white."""
    counts = torch.poisson(clean.clamp(0, 1) * max(strength, 1e-3), generator)
    return counts / max(strength, 1e-3), clean


def blocks(clean: Tensor, strength: float, generator: Generator) -> Pair:
    """Squares of 8 × 8 pixels at random positions set to zero: `strength` percent of the area.

    Where squares overlap, they cover less.
    """
    _, height, width = clean.shape
    noisy, side = clean.clone(), min(_BLOCK, height, width)
    for _ in range(round(strength / 100 * height * width / side**2)):
        y, x = (_integer(n - side + 1, generator) for n in (height, width))
        noisy[:, y : y + side, x : x + side] = 0
    return noisy, clean


def demosaiced(clean: Tensor, strength: float, generator: Generator) -> Pair:
    """Shot and read noise of a sensor with Bayer's pattern, interpolated, of mixed exposures.

    Of colours only; `strength` / 255 is about the greatest standard deviation. Most are compressed
    as JPEG.
    """
    light = clean.clamp(0, 1) ** _GAMMA
    gains = torch.tensor([1.2 + _uniform(generator), 1.0, 1.2 + _uniform(generator)]).view(3, 1, 1)
    y, x = _integer(2, generator), _integer(2, generator)
    mask = torch.zeros_like(clean)
    mask[0, y::2, x::2] = 1
    mask[2, 1 - y :: 2, 1 - x :: 2] = 1
    mask[1] = 1 - mask[0] - mask[2]
    raw = light / gains
    shot = (strength / 20) * 10 ** (2 * _uniform(generator) - 4)
    variance = shot * raw + shot**2 * (0.01 + 0.3 * _uniform(generator)) + 1e-7
    noisy = raw + variance.sqrt() * _normal(clean.shape, generator)
    noisy, target = (_developed(sensor * mask, gains) for sensor in (noisy, raw))
    return _compressed(noisy, 0.7, generator), target.clamp(0, 1)


def blotches(clean: Tensor, strength: float, generator: Generator) -> Pair:
    """Noise of several scales, unequal in brightness and colour, up to `strength` / 255.

    What denoising and compression within a camera leave.
    """
    _, height, width = clean.shape
    noise = torch.zeros(3, height, width)
    for scale in (1, 2, 4):
        shape = (3, height // scale + 2, width // scale + 2)
        coarse = F.interpolate(
            _normal(shape, generator)[None], scale_factor=scale, mode="bilinear"
        )[0, :, scale // 2 :, scale // 2 :]
        noise += coarse[:, :height, :width] * _uniform(generator)
    gray = noise.mean(0, keepdim=True)
    noise = gray * (0.5 + _uniform(generator)) + (noise - gray) * (0.5 + _uniform(generator))
    noise = noise[: len(clean)] / noise.std().clamp_min(1e-6)
    noisy = clean + noise * strength / 255 * (0.05 + 0.95 * _uniform(generator))
    return _compressed(noisy, 0.5, generator), clean


def none(clean: Tensor, strength: float, generator: Generator) -> Pair:
    """No noise."""
    return clean, clean


def mixed(clean: Tensor, strength: float, generator: Generator) -> Pair:
    """White noise of two images in three; else that of photographs as cameras write them.

    The noise of cameras is weaker, up to 20 / 255; gray images are not demosaiced.
    """
    dice = _uniform(generator)
    for name, share in _SHARES:
        dice -= share
        if dice < 0:
            return _rare(name)(clean, strength, generator)
    return gaussian(clean, strength, generator)


NOISES: dict[str, Callable[[Tensor, float, Generator], Pair]] = {
    "gaussian": gaussian,
    "poisson": poisson,
    "blocks": blocks,
    "mixed": mixed,
    "none": none,
}


def _rare(name: str) -> Callable[[Tensor, float, Generator], Pair]:
    def degrade(clean: Tensor, strength: float, generator: Generator) -> Pair:
        weak = strength * 20 / 55
        if name == "poisson":  # as many particles as give middle gray this standard deviation
            return poisson(clean, 0.5 * (255 / max(strength, 1.0)) ** 2, generator)
        if name == "demosaiced" and len(clean) == 3:
            return demosaiced(clean, weak, generator)
        return none(clean, 0, generator) if name == "none" else blotches(clean, weak, generator)

    return degrade


def _developed(mosaic: Tensor, gains: Tensor) -> Tensor:
    """Bilinear interpolation of Bayer's pattern, white balance, gamma."""
    kernels = torch.stack([_RED_BLUE, _GREEN, _RED_BLUE])[:, None].to(mosaic)
    full = F.conv2d(F.pad(mosaic[None], (1, 1, 1, 1), mode="reflect"), kernels, groups=3)[0]
    return (full * gains).clamp_min(1e-6) ** (1 / _GAMMA)


def _compressed(image: Tensor, share: float, generator: Generator) -> Tensor:
    """The image as a JPEG of quality 75 to 99, or unchanged in all but `share` of cases."""
    if _uniform(generator) >= share:
        return image
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).squeeze(2).cpu().numpy()
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG", quality=75 + _integer(25, generator))
    decoded = np.asarray(PIL.Image.open(file)).reshape(*image.shape[1:], len(image))
    return torch.from_numpy(decoded.copy()).permute(2, 0, 1).to(image) / 255


def _normal(shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.randn(shape, generator=generator)


def _uniform(generator: Generator) -> float:
    return float(torch.rand((), generator=generator))


def _integer(stop: int, generator: Generator) -> int:
    return int(torch.randint(stop, (), generator=generator))
