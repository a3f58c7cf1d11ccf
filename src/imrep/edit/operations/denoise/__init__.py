"""Denoising by DCT shrinkage."""

import torch
from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.edit.operations.denoise import noise_level
from imrep.edit.operations.denoise.shrinkage import BLOCK, denoise_plane, remove_coarse_noise
from imrep.ops.fourier.dct import basis
from imrep.ops.fourier.radial_bands import transformable
from imrep.types import Image

_MIN_NOISE = 0.3 / 255  # standard deviation below which an image counts as free of noise


def denoise(image: Image, *, noise: float | None = None, stride: int = 4) -> Image:
    """Denoising: small coefficients of overlapping 8 × 8 DCT blocks are shrunk.

    Thresholded coefficients give a first estimate of the image; then each coefficient is multiplied
    by the share of its energy that the estimate attributes to the image (empirical Wiener filter).
    The result is the weighted mean of all blocks. Colours are transformed to gray and two
    differences before; the differences are also shrunk at half and quarter size, since noise
    coarser than a block shows as blotches of colour.

    The noise level is measured in the highest frequencies, in colour on the axis where it is
    lowest. Noise of cameras is correlated by demosaicing and compression: where most blocks have
    about the same energy at middle frequencies, and little at high ones, that is the noise. An
    image with a measured level below 0.3 / 255 is unchanged; pass `noise` to denoise it.

    A colour image of three equal channels is treated as a gray one.

    Args:
        image: (b, 1|3, h, w), values in [0, 1], float32 or float64, at least 8 × 8 pixels.
        noise: Standard deviation of the noise, 0 to 1; measured in each image by default. 0.1 is
            strong, 0.02 to 0.05 is usual of cameras at high sensitivity.
        stride: Spacing of the blocks, 1 to 8; of the colour differences twice that, up to 8. Small
            strides take longer and give slightly better results.

    Raises:
        BadImage: The input is not a batch of images, smaller than a block, or of another floating
            type.
        BadParameter: Noise or stride is out of its range.

    References:
        G. Yu and G. Sapiro, "DCT image denoising: a simple and effective image denoising
        algorithm", Image Processing On Line 1, 2011. doi:10.5201/ipol.2011.ys-dct
    """
    transformable(checks.image(image, "denoise", at_least=BLOCK), "denoise")
    checks.between(0 if noise is None else noise, 0, 1, "denoise", "noise")
    checks.between(stride, 1, BLOCK, "denoise", "stride")
    return torch.stack([_denoised(single, noise, stride) for single in image]).clamp_(0, 1)


def _denoised(image: Tensor, noise: float | None, stride: int) -> Tensor:
    """One image (c, h, w)."""
    if len(image) == 3 and bool((image == image[:1]).all()):
        return _denoised(image[:1], noise, stride).expand(3, -1, -1)
    axes = basis(len(image), image)
    levels = [noise] * len(axes) if noise is not None else _levels(image, axes)
    if not any(levels):
        return image.clone()
    denoised = torch.zeros_like(image, memory_format=torch.contiguous_format)
    for k, axis in enumerate(axes):  # one axis after another bounds memory
        plane = torch.tensordot(axis, image, 1)
        step = min(2 * stride, BLOCK) if k else stride  # colour differences are smooth
        if k:
            plane = remove_coarse_noise(plane, levels[k], step)
        clean = denoise_plane(plane, levels[k], step)
        # The axes are orthonormal: the inverse transform has the same weights.
        for channel, weight in enumerate(axis.tolist()):
            denoised[channel].add_(clean, alpha=weight)
    return denoised


def _levels(image: Tensor, axes: Tensor) -> list[float]:
    """The noise level on each axis, which is recorded; zeros below `_MIN_NOISE`."""
    levels, noise = noise_level.measure(image, axes)
    if noise >= _MIN_NOISE:
        measurements.record("denoise", noise=noise)
        return levels
    note = "no noise found (σ < 0.3/255): left as it was. If you see some, say noise=0.03"
    measurements.record("denoise", note, noise=noise)
    return [0.0] * len(levels)
