"""Noise taken out."""

import torch
from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.edit.operations.denoise import noise_level
from imrep.edit.operations.denoise.shrinkage import SIDE, calmed, shrunk
from imrep.ops.fourier.dct import basis
from imrep.ops.fourier.radial_bands import transformable
from imrep.types import Image

_NOTHING = 0.3 / 255  # standard deviation below which there is no noise to speak of


def denoise(image: Image, *, noise: float | None = None, stride: int = 4) -> Image:
    """The image without noise: what a bank of cosine filters hardly answers to is left out.

    Blocks of 8×8 pixels are transformed; small coefficients become zero, which gives a first guess;
    then each is multiplied by the share of it that the guess says is no noise. The image is that of
    least squares with all blocks. Colours are turned to gray and two differences before, which
    leaves the noise as it is; the differences are shrunk at half and quarter size as well, where
    noise coarser than a block, which shows as blotches of colour, can be told.

    White noise is measured in the finest waves, and in colour where it is least of the three. What
    cameras write is coarser, since colours are interpolated and compressed: where most blocks hold
    about equally much of waves of middle length, and little of fine ones, that is the noise. An
    image in which less than 0.3 / 255 is measured stays as it is: then say `noise`.

    A colour image of three equal channels is treated as the gray one it is.

    Args:
        image: (b, 1|3, h, w), values in [0, 1], float32 or float64, at least 8×8 pixels.
        noise: Standard deviation of the noise, 0 to 1 (0.1 is strong, 25 of 255); measured in each
            image where None. 0.02 to 0.05 suits what cameras write at high sensitivity.
        stride: One of so many blocks is looked at, 1 to 8; of the colour differences one of twice
            as many, up to 8. 1 takes three times as long as 4 and is 0.05 dB better.

    Raises:
        BadImage: If it is no batch of images, smaller than a block, or of another floating type.
        BadParameter: If noise or stride is out of its range.

    References:
        G. Yu and G. Sapiro, "DCT image denoising: a simple and effective image denoising
        algorithm", Image Processing On Line 1, 2011. doi:10.5201/ipol.2011.ys-dct
    """
    transformable(checks.image(image, "denoise", at_least=SIDE), "denoise")
    checks.between(0 if noise is None else noise, 0, 1, "denoise", "noise")
    checks.between(stride, 1, SIDE, "denoise", "stride")
    made = [_denoised(one, noise, stride) for one in image]
    return torch.stack(made).clamp_(0, 1)


def _denoised(image: Tensor, noise: float | None, stride: int) -> Tensor:
    """One image (c, h, w)."""
    if len(image) == 3 and bool((image == image[:1]).all()):
        return _denoised(image[:1], noise, stride).expand(3, -1, -1)
    axes = basis(len(image), image)
    levels = [noise] * len(axes) if noise is not None else _levels(image, axes)
    if not any(levels):
        return image.clone()
    made = torch.zeros_like(image, memory_format=torch.contiguous_format)
    for k, axis in enumerate(axes):  # one at a time, since planes may be large
        plane = torch.tensordot(axis, image, 1)
        step = min(2 * stride, SIDE) if k else stride  # colours are smooth: 0.02 dB
        if k:
            plane = calmed(plane, levels[k], step)
        clean = shrunk(plane, levels[k], step)
        for channel, weight in enumerate(axis.tolist()):
            made[channel].add_(clean, alpha=weight)
    return made


def _levels(image: Tensor, axes: Tensor) -> list[float]:
    """The noise on each axis, which is recorded; zeros where there is none to speak of."""
    levels, noise = noise_level.measure(image, axes)
    if noise >= _NOTHING:
        measurements.record("denoise", noise=noise)
        return levels
    note = "no noise found (σ < 0.3/255): left as it was. If you see some, say noise=0.03"
    measurements.record("denoise", note, noise=noise)
    return [0.0] * len(levels)
