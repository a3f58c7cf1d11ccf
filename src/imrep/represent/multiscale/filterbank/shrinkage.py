"""Images without their noise: what a bank of filters hardly answers to is taken for noise."""

from collections.abc import Callable

import torch
from torch import Tensor

from imrep.ops.fourier.dct import basis
from imrep.represent.multiscale.filterbank import frame_inverse

_SMALL = 2.7  # standard deviations of noise below which a response is taken for it
_NORMAL = 0.6745  # median of the absolute values of a normal distribution of deviation one

Shrink = Callable[[Tensor, slice], Tensor]


def denoise(image: Tensor, spectra: Tensor, smooth: Tensor, noise: float | None = None) -> Tensor:
    """An image without white noise, (1, c, h, w) within [0, 1], by shrinking twice.

    Responses below 2.7 deviations become zero, and the image of least squares with what is left is
    a first guess. In the second turn each response of the noisy image is multiplied by the share of
    it that the guess's response says is no noise. Colours are turned to axes (a cosine basis: gray
    and two differences) that hardly depend on each other and leave the noise as it is.

    Args:
        image: Noisy, (1, c, h, w).
        spectra: Transforms of the filters, as `frames.spectra` gives them, of positive power.
        smooth: Which filters pass brightness, (k,): their responses are never small.
        noise: Standard deviation of the noise; measured where None.
    """
    axes = basis(image.shape[1], image)
    planes = torch.einsum("pc,bchw->bphw", axes, image)
    loud = _deviations(spectra, image.shape[-1])
    level = _measured(planes, spectra, smooth, loud) if noise is None else planes.new_tensor(noise)
    least, whole = (level * loud)[:, None, None], smooth[:, None, None]

    def large(maps: Tensor, some: slice) -> Tensor:
        return torch.where((maps.abs() > _SMALL * least[some]) | whole[some], maps, 0)

    guess = _shrunk(planes, spectra, large)

    def likely(maps: Tensor, some: slice) -> Tensor:
        signal = frame_inverse.respond(guess, spectra[some]).square()
        share = signal / (signal + least[some].square()).clamp_min(torch.finfo(maps.dtype).tiny)
        return torch.where(whole[some], maps, share * maps)

    clean = _shrunk(planes, spectra, likely)
    return torch.einsum("pc,bphw->bchw", axes, clean).clamp(0, 1)


def _shrunk(planes: Tensor, spectra: Tensor, shrink: Shrink) -> Tensor:
    """The image of least squares with the responses that `shrink` made of those of `planes`."""
    total: Tensor | float = 0.0
    for some in frame_inverse.blocks(planes, len(spectra)):
        maps = shrink(frame_inverse.respond(planes, spectra[some]), some)
        total = total + (torch.fft.rfft2(maps) * spectra[some].conj()).sum(2)
    return torch.fft.irfft2(total / frame_inverse.power(spectra), s=planes.shape[-2:])


def _measured(planes: Tensor, spectra: Tensor, smooth: Tensor, loud: Tensor) -> Tensor:
    """The noise by the quietest filter: its median is hardly moved by the few edges it hears.

    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994. doi:10.1093/biomet/81.3.425
    """
    medians = [
        frame_inverse.respond(planes, spectra[some])
        .abs()
        .transpose(1, 2)
        .flatten(2)
        .median(2)
        .values[0]
        for some in frame_inverse.blocks(planes, len(spectra))
    ]
    found = torch.cat(medians) / (_NORMAL * loud)
    quiet = found[~smooth]
    return quiet.amin() if len(quiet) else found.new_zeros(())


def _deviations(spectra: Tensor, width: int) -> Tensor:
    """Standard deviation of each filter's response to noise of one: its length, by Parseval."""
    twice = torch.full((spectra.shape[2],), 2.0, device=spectra.device)  # -f beside each f
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    squares = torch.view_as_real(spectra).square().sum(-1)
    return (squares * twice.to(squares)).sum((1, 2)).div(spectra.shape[1] * width).sqrt()
