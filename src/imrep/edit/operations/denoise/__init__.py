"""Denoising by a trained network, or by DCT shrinkage."""

import torch
from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.edit.operations.denoise import network, noise_level
from imrep.edit.operations.denoise.shrinkage import BLOCK, denoise_plane, remove_coarse_noise
from imrep.ops.fourier.dct import basis
from imrep.ops.fourier.radial_bands import transformable
from imrep.types import Image

_METHODS = ("combined", "network", "shrinkage")
_CORRELATED = 0.55  # of noise of cameras: deviation over its amplitude at middle frequencies
_MIN_NOISE = 0.3 / 255  # standard deviation below which an image counts as free of noise


def denoise(
    image: Image,
    *,
    noise: float | None = None,
    method: str = "combined",
    weights: str = "published",
    stride: int = 4,
) -> Image:
    """Denoising by a trained network, by shrinking the coefficients of DCT blocks, or by both.

    Both estimates err in different places, so that their mean is better than either.

    The network is the denoising autoencoder `dae`. It gets the noise level, also where that is
    measured, and processes large images in overlapping tiles. Noise above 0.3 is beyond what the
    published weights were trained on, and is removed by shrinkage.

    Shrinkage alone is much faster. Thresholded coefficients of overlapping 8 × 8 blocks give a
    first estimate of the image; then each coefficient is multiplied by the share of its energy that
    the estimate attributes to the image (empirical Wiener filter). The result is the weighted mean
    of all blocks. Colours are transformed to gray and two differences before; the
    differences are also shrunk at half and quarter size, since noise coarser than a block shows as
    blotches of colour.

    The noise level is measured in the highest frequencies, in colour on the axis where it is
    lowest. Noise of cameras is correlated by demosaicing and compression: where most blocks have
    about the same energy at middle frequencies, and little at high ones, that is the noise. Where
    texture covers most of the image, its quietest blocks tell: they have about the same energy in
    noise, and ever less without. The standard deviation of such noise, which the network needs, is
    about half of what shrinkage needs. An image with a measured level below 0.3 / 255 is unchanged;
    pass `noise` to denoise it.

    A colour image of three equal channels is treated as a gray one.

    Args:
        image: (b, 1|3, h, w), values in [0, 1], float32 or float64, at least 8 × 8 pixels.
        noise: Standard deviation of the noise, 0 to 1; measured in each image by default. 0.1 is
            strong, 0.02 to 0.05 is usual of cameras at high sensitivity.
        method: "combined" for the mean of both estimates, "network" or "shrinkage".
        weights: Of the network: "published" for those that come with imrep; a folder that
            `save` wrote, or a file of DnCNN or FFDNet as KAIR publishes them, which then denoises
            alone.
        stride: Of shrinkage: spacing of the blocks, 1 to 8; of the colour differences twice that,
            up to 8. Small strides take longer and give slightly better results.

    Raises:
        BadImage: The input is not a batch of images, smaller than a block, or of another floating
            type.
        BadParameter: Noise, method or stride is out of its range, or the weights are no denoiser's.
        WeightsNeeded: There are no such weights.

    References:
        P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and composing robust
        features with denoising autoencoders", ICML 2008. doi:10.1145/1390156.1390294

        G. Yu and G. Sapiro, "DCT image denoising: a simple and effective image denoising
        algorithm", Image Processing On Line 1, 2011. doi:10.5201/ipol.2011.ys-dct
    """
    transformable(checks.image(image, "denoise", at_least=BLOCK), "denoise")
    checks.between(0 if noise is None else noise, 0, 1, "denoise", "noise")
    checks.between(stride, 1, BLOCK, "denoise", "stride")
    checks.one_of(method, _METHODS, "denoise", "method")

    if weights != "published" and method == "combined":
        method = "network"
    return torch.stack([_denoised(x, noise, stride, method, weights) for x in image]).clamp_(0, 1)


def _denoised(image: Tensor, noise: float | None, stride: int, method: str, weights: str) -> Tensor:
    """One image (c, h, w)."""
    if len(image) == 3 and bool((image == image[:1]).all()):
        return _denoised(image[:1], noise, stride, method, weights).expand(3, -1, -1)
    axes = basis(len(image), image)
    levels, deviation = _levels(image, axes, method) if noise is None else ([], noise)
    levels = levels or [deviation] * len(axes)
    if not any(levels):
        return image.clone()
    estimates = []
    beyond = weights == "published" and deviation > network.MAX_NOISE
    if method != "network" or beyond:
        estimates.append(_shrunk(image, axes, levels, stride))
    if method != "shrinkage" and not beyond:
        estimates.append(network.denoise_image(image, deviation, weights))
    return estimates[0] if len(estimates) == 1 else estimates[0].add_(estimates[1]).mul_(0.5)


def _shrunk(image: Tensor, axes: Tensor, levels: list[float], stride: int) -> Tensor:
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


def _levels(image: Tensor, axes: Tensor, method: str) -> tuple[list[float], float]:
    """The amplitude of the noise on each axis, zeros below `_MIN_NOISE`; its standard deviation.

    What is recorded gives, as `noise`, the same image by shrinkage or by the network alone.
    """
    levels, noise = noise_level.measure(image, axes)
    if noise < _MIN_NOISE:
        note = "no noise found (σ < 0.3/255): left as it was. If you see some, say noise=0.03"
        measurements.record("denoise", note, noise=noise)
        return [0.0] * len(levels), 0.0
    correlated = method != "shrinkage" and noise_level.is_correlated(image, axes, noise)
    deviation = noise * (_CORRELATED if correlated else 1.0)
    measurements.record("denoise", noise=deviation)
    return levels, deviation
