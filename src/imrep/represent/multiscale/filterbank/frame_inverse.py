"""Banks of circular filters: what they answer, and images from the answers by least squares.

Everything happens on the half plane of frequencies of `torch.fft.rfft2`, where a circular
convolution is a product: `spectra` are the transforms of k filters centred on the origin, complex
(k, height, width // 2 + 1). Responses are (b, c, k, height, width).

    R. J. Duffin and A. C. Schaeffer, "A class of nonharmonic Fourier series", Trans. AMS 72(2),
    1952. doi:10.1090/S0002-9947-1952-0047179-6
"""

import warnings
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.solvers import Operator, conjugate_gradients

_AT_ONCE = 1 << 19  # responses computed together: as many as stay in the cache
EXACT = 1e-11  # relative residual at which float32 has the image; smooth ones come last
_SINGLE = 1e-6  # the same where the device has no double


def spectra(kernels: Tensor, height: int, width: int) -> Tensor:
    """Transforms of (k, rows, columns), each kernel's element (rows // 2, columns // 2) at zero."""
    rows, columns = kernels.shape[1:]
    # Width before height, so that rows which are all zero are never transformed.
    wide = F.pad(kernels, (0, width - columns)).roll(-(columns // 2), 2)
    tall = F.pad(torch.fft.rfft(wide), (0, 0, 0, height - rows)).roll(-(rows // 2), 1)
    return torch.fft.fft(tall, dim=1)


def power(spectra: Tensor) -> Tensor:
    """Squared gain of the whole bank at each frequency, whose extremes are the frame's bounds."""
    return torch.view_as_real(spectra).square().sum((0, -1))


def respond(x: Tensor, spectra: Tensor) -> Tensor:
    """Convolutions of (b, c, h, w) with each filter, (b, c, k, h, w)."""
    return torch.fft.irfft2(torch.fft.rfft2(x).unsqueeze(2) * spectra, s=x.shape[-2:])


def gather(maps: Tensor, spectra: Tensor) -> Tensor:
    """Correlations of (b, c, k, h, w) with the filters, summed: `respond` transposed."""
    total: Tensor | float = 0.0
    for some in blocks(maps[:, :, 0], len(spectra)):
        total = total + (torch.fft.rfft2(maps[:, :, some]) * spectra[some].conj()).sum(2)
    return torch.fft.irfft2(total, s=maps.shape[-2:])


def blocks(x: Tensor, filters: int) -> Iterator[slice]:
    """As many filters at a time as have responses to (b, c, h, w) that stay in the cache."""
    step = max(1, _AT_ONCE // x.numel())
    return (slice(start, start + step) for start in range(0, filters, step))


def solve(
    values: Tensor,
    known: Tensor,
    spectra: Tensor,
    *,
    tikhonov: float = 0.0,
    iterations: int = 1000,
    tolerance: float = EXACT,
    who: str = "",
) -> Tensor:
    """The images x (b, c, h, w) of least Σ |h * x - values|² over the responses that are known.

    With all of them known it is the convolution theorem's answer, at once. Otherwise conjugate
    gradients, preconditioned with that answer and started from it, each channel for itself until
    its residual is small. Gradients reach `values` by solving once more for them.

    Args:
        values: Responses, (b, c, k, h, w); what they are where they are not known does not matter.
        known: Where they are known, of the same shape, boolean.
        spectra: Transforms of the filters; their power must be positive, or `tikhonov` must be.
        tikhonov: Weight of |x|² beside the squares, as a share of the bank's greatest power.
        iterations: Most steps taken; two transforms of every map each.
        tolerance: Relative residual, under the preconditioner, at which a channel is solved.
        who: Name to blame, in a warning, for a channel that is not solved then; "" for no warning.
    """
    gain = power(spectra)
    ease = tikhonov * gain.max()
    size = values.shape[-2:]

    def normal(x: Tensor) -> Tensor:
        waves = torch.fft.rfft2(x).unsqueeze(2)
        total = ease * waves.squeeze(2)
        for some in blocks(x, len(spectra)):
            heard = known[:, :, some] * torch.fft.irfft2(waves * spectra[some], s=size)
            total = total + (torch.fft.rfft2(heard) * spectra[some].conj()).sum(2)
        return torch.fft.irfft2(total, s=size)

    def nearly(x: Tensor) -> Tensor:
        return torch.fft.irfft2(torch.fft.rfft2(x) / (gain + ease), s=size)

    wanted = gather(torch.where(known, values, 0), spectra)
    tolerance = max(tolerance, _SINGLE) if values.dtype == torch.float32 else tolerance
    return _Solution.apply(wanted, normal, nearly, iterations, tolerance, who)


class _Solution(torch.autograd.Function):
    """Of a symmetric system: its gradient is the solution for the gradient, not a tape of steps."""

    @staticmethod
    def forward(
        ctx: Any,
        wanted: Tensor,
        normal: Operator,
        nearly: Operator,
        iterations: int,
        tolerance: float,
        who: str,
    ) -> Tensor:
        ctx.system = normal, nearly, iterations, tolerance, who
        return _solved(wanted, normal, nearly, iterations, tolerance, who)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        return _Solution.apply(slopes[0], *ctx.system), None, None, None, None, None


def _solved(
    wanted: Tensor,
    normal: Operator,
    nearly: Operator,
    iterations: int,
    tolerance: float,
    who: str,
) -> Tensor:
    """normal(x) = wanted, every channel of (b, c, h, w) for itself; `nearly` nearly solves it."""
    start = nearly(wanted)
    enough = tolerance**2 * (wanted * start).sum((2, 3), keepdim=True)
    x, left = conjugate_gradients(
        normal,
        wanted,
        start,
        precondition=nearly,
        unsolved=lambda _, size: size > enough,
        axes=(2, 3),
        iterations=iterations,
    )
    if who and bool((left > max(tolerance, EXACT) ** 2 / tolerance**2 * enough).any()):
        warnings.warn(
            f"{who} needs more than {iterations} steps to solve for the image; the residual was "
            "still falling. Raise iterations, or see equations(code).",
            stacklevel=2,
        )
    return x
