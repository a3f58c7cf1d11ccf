"""Denoising by shrinkage of a filter bank's responses: hard threshold, then Wiener filter."""

from collections.abc import Callable

import torch
from torch import Tensor

from imrep.ops.fourier.dct import basis
from imrep.represent.multiscale.filterbank import frame_inverse

_THRESHOLD = 2.7  # of the hard threshold, in standard deviations of the noise
_MEDIAN_OF_NORMAL = 0.6745  # median of the absolute values of a standard normal variable

Shrink = Callable[[Tensor, slice], Tensor]


def denoise(image: Tensor, spectra: Tensor, low_pass: Tensor, noise: float | None = None) -> Tensor:
    """An image (1, c, h, w) in [0, 1] without white noise, by two passes of shrinkage.

    First a hard threshold of 2.7 deviations, and the least-squares image of the remaining
    responses. Then a Wiener filter of the noisy responses, whose signal power is that of the first
    estimate. Colours are first decorrelated by an orthonormal DCT of the channels (gray and two
    differences), which leaves white noise white.

    Args:
        image: Noisy, (1, c, h, w).
        spectra: Transforms of the filters, as `frame_inverse.spectra` gives them, of positive
            power.
        low_pass: Filters that pass the mean, boolean (k,); their responses are not shrunk.
        noise: Standard deviation of the noise; None estimates it.
    """
    axes = basis(image.shape[1], image)
    planes = torch.einsum("pc,bchw->bphw", axes, image)
    gains = _gains(spectra, image.shape[-1])
    if noise is None:
        level = _estimate_noise(planes, spectra, low_pass, gains)
    else:
        level = planes.new_tensor(noise)
    sigma, unshrunk = (level * gains)[:, None, None], low_pass[:, None, None]

    def hard_threshold(maps: Tensor, block: slice) -> Tensor:
        return torch.where((maps.abs() > _THRESHOLD * sigma[block]) | unshrunk[block], maps, 0)

    expected = frame_inverse.responder(_shrunk(planes, spectra, hard_threshold), spectra)

    def wiener(maps: Tensor, block: slice) -> Tensor:
        signal = expected(block).square()
        gain = signal / (signal + sigma[block].square()).clamp_min(torch.finfo(maps.dtype).tiny)
        return torch.where(unshrunk[block], maps, gain * maps)

    clean = _shrunk(planes, spectra, wiener)
    return torch.einsum("pc,bphw->bchw", axes, clean).clamp(0, 1)


def _shrunk(planes: Tensor, spectra: Tensor, shrink: Shrink) -> Tensor:
    """The least-squares image of the shrunk responses of `planes`."""
    respond = frame_inverse.responder(planes, spectra)
    total: Tensor | float = 0.0
    for block in frame_inverse.blocks(planes, len(spectra)):
        maps = shrink(respond(block), block)
        total = total + (torch.fft.rfft2(maps) * spectra[block].conj()).sum(2)
    return torch.fft.irfft2(total / frame_inverse.power(spectra), s=planes.shape[-2:])


def _estimate_noise(planes: Tensor, spectra: Tensor, low_pass: Tensor, gains: Tensor) -> Tensor:
    """Least noise level of any band-pass filter, by the median of its absolute responses.

    The median is robust to sparse edges.

    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994. doi:10.1093/biomet/81.3.425
    """
    respond = frame_inverse.responder(planes, spectra)
    medians = [
        respond(block).abs().transpose(1, 2).flatten(2).median(2).values[0]
        for block in frame_inverse.blocks(planes, len(spectra))
    ]
    levels = (torch.cat(medians) / (_MEDIAN_OF_NORMAL * gains))[~low_pass]
    return levels.amin() if len(levels) else levels.new_zeros(())


def _gains(spectra: Tensor, width: int) -> Tensor:
    """Norm of each filter, by Parseval: the deviation of its response to unit white noise."""
    # Each column of the half plane stands for ±f, but for f = 0 and the Nyquist frequency.
    multiplicity = torch.full((spectra.shape[2],), 2.0, device=spectra.device)
    multiplicity[0] = 1
    if width % 2 == 0:
        multiplicity[-1] = 1
    squares = torch.view_as_real(spectra).square().sum(-1)
    return (squares * multiplicity.to(squares)).sum((1, 2)).div(spectra.shape[1] * width).sqrt()
