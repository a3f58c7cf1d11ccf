"""Responses of a filter bank as a frame, and the least-squares image of given responses.

A circular convolution is a product in the half plane of frequencies of `torch.fft.rfft2`: `spectra`
are the transforms of k filters centred on the origin, complex (k, height, width // 2 + 1).
Responses are (b, c, k, height, width).

    R. J. Duffin and A. C. Schaeffer, "A class of nonharmonic Fourier series", Trans. AMS 72(2),
    1952. doi:10.1090/S0002-9947-1952-0047179-6
"""

import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.solvers import Operator, conjugate_gradients
from imrep.ops.tiling import cut

_BLOCK = 1 << 19  # responses computed together, to fit the cache
EXACT = 1e-11  # relative residual at which a float32 solution has converged
_SINGLE = 1e-6  # the same, on devices without float64


def spectra(kernels: Tensor, height: int, width: int) -> Tensor:
    """Transforms of (k, rows, columns), each kernel's element (rows // 2, columns // 2) at zero."""
    rows, columns = kernels.shape[1:]
    # Rows first: the zero rows of the padding need no transform.
    wide = F.pad(kernels, (0, width - columns)).roll(-(columns // 2), 2)
    tall = F.pad(torch.fft.rfft(wide), (0, 0, 0, height - rows)).roll(-(rows // 2), 1)
    return torch.fft.fft(tall, dim=1)


def power(spectra: Tensor) -> Tensor:
    """Squared gain of the bank at each frequency; its extremes are the frame bounds."""
    return torch.view_as_real(spectra).square().sum((0, -1))


def respond(x: Tensor, spectra: Tensor) -> Tensor:
    """Convolutions of (b, c, h, w) with each filter, (b, c, k, h, w)."""
    return responder(x, spectra)(slice(None))


def responder(x: Tensor, spectra: Tensor) -> Callable[[slice], Tensor]:
    """`respond` for one block of filters at a time; `x` is transformed once."""
    waves = torch.fft.rfft2(x).unsqueeze(2)
    return lambda block: torch.fft.irfft2(waves * spectra[block], s=x.shape[-2:])


def gather(maps: Tensor, spectra: Tensor) -> Tensor:
    """Correlations of (b, c, k, h, w) with the filters, summed: the adjoint of `respond`."""
    total: Tensor | float = 0.0
    for block in blocks(maps[:, :, 0], len(spectra)):
        total = total + (torch.fft.rfft2(maps[:, :, block]) * spectra[block].conj()).sum(2)
    return torch.fft.irfft2(total, s=maps.shape[-2:])


def blocks(x: Tensor, filters: int) -> list[slice]:
    """Slices of filters whose responses to x (b, c, h, w) fit the cache together."""
    return cut(filters, max(1, _BLOCK // x.numel()))


def solve(
    values: Tensor,
    mask: Tensor,
    spectra: Tensor,
    *,
    tikhonov: float = 0.0,
    iterations: int = 1000,
    tolerance: float = EXACT,
    caller: str = "",
) -> Tensor:
    """The images x (b, c, h, w) that minimise Σ |h ∗ x - values|² over the known responses.

    With all responses known, dividing by the power solves it. Otherwise that division is the start
    and the preconditioner of conjugate gradients; each channel stops at its own convergence. The
    gradient for `values` is one more solution.

    Args:
        values: Responses, (b, c, k, h, w); ignored where not known.
        mask: Where responses are known, boolean, of the same shape.
        spectra: Transforms of the filters; their power or `tikhonov` must be positive.
        tikhonov: Weight of |x|², as a share of the upper frame bound.
        iterations: Limit of the steps, each of two transforms of every map.
        tolerance: Relative residual, in the preconditioner's norm, that counts as converged.
        caller: Name in the warning about channels that have not converged; "" for no warning.
    """
    gain = power(spectra)
    damping = tikhonov * gain.max()
    size = values.shape[-2:]

    def normal(x: Tensor) -> Tensor:
        """AᵀA x of the normal equations, A the masked convolutions."""
        waves = torch.fft.rfft2(x).unsqueeze(2)
        total = damping * waves.squeeze(2)
        for block in blocks(x, len(spectra)):
            response = mask[:, :, block] * torch.fft.irfft2(waves * spectra[block], s=size)
            total = total + (torch.fft.rfft2(response) * spectra[block].conj()).sum(2)
        return torch.fft.irfft2(total, s=size)

    def precondition(x: Tensor) -> Tensor:
        """The exact inverse if every response were known."""
        return torch.fft.irfft2(torch.fft.rfft2(x) / (gain + damping), s=size)

    rhs = gather(torch.where(mask, values, 0), spectra)
    tolerance = max(tolerance, _SINGLE) if values.dtype == torch.float32 else tolerance
    return _Solution.apply(rhs, normal, precondition, iterations, tolerance, caller)


class _Solution(torch.autograd.Function):
    """Implicit gradient: the system is symmetric, so it is solved once more."""

    @staticmethod
    def forward(
        ctx: Any,
        rhs: Tensor,
        normal: Operator,
        precondition: Operator,
        iterations: int,
        tolerance: float,
        caller: str,
    ) -> Tensor:
        ctx.system = normal, precondition, iterations, tolerance, caller
        return _solved(rhs, normal, precondition, iterations, tolerance, caller)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        return _Solution.apply(slopes[0], *ctx.system), None, None, None, None, None


def _solved(
    rhs: Tensor,
    normal: Operator,
    precondition: Operator,
    iterations: int,
    tolerance: float,
    caller: str,
) -> Tensor:
    """Solve normal(x) = rhs (b, c, h, w), each channel a system of its own."""
    start = precondition(rhs)
    limit = tolerance**2 * (rhs * start).sum((2, 3), keepdim=True)
    x, remaining = conjugate_gradients(
        normal,
        rhs,
        start,
        precondition=precondition,
        unsolved=lambda _, __, size: size > limit,
        axes=(2, 3),
        iterations=iterations,
    )
    if caller and bool((remaining > max(tolerance, EXACT) ** 2 / tolerance**2 * limit).any()):
        warnings.warn(
            f"{caller} needs more than {iterations} iterations to solve for the image; the "
            "residual was still falling. Raise iterations, or see equations(code).",
            stacklevel=2,
        )
    return x
