"""Morlet wavelets and their low-pass filter on the discrete plane of frequencies, in closed form.

A Gaussian sampled in space has, as its discrete Fourier transform, a Gaussian folded on the torus
of frequencies, so each filter is evaluated there directly, without a transform. The filters equal
those of published scattering software, which divides by 2 · 3.1415 σ² instead of 2π σ².

References:
    J. Bruna and S. Mallat, "Invariant scattering convolution networks", IEEE Trans. PAMI 35(8),
    2013. doi:10.1109/TPAMI.2012.230
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_SIGMA = 0.8  # pixels, of the finest wavelet's Gaussian
_XI = 3 * math.pi / 4  # radians per pixel, the finest wavelet's frequency
_NORM = math.pi / 3.1415
_REACH = 6.0  # standard deviations; beyond them a Gaussian is 1.5e-8 of its peak


def angles(orientations: int) -> list[float]:
    """Angle of each orientation in radians, from the rows' axis towards the columns', descending.

    The first is trunc(L/2 - 1) π/L; an angle of 0 answers to what varies down the rows.
    """
    first = math.trunc(orientations / 2 - 1)
    return [(first - t) * math.pi / orientations for t in range(orientations)]


def morlet(size: Sequence[int], scale: int, orientations: int) -> Tensor:
    """Fourier transforms of one scale's Morlet wavelets, float64, (orientations, rows, columns).

    An elliptic Gaussian of deviation 0.8 · 2^scale pixels along its wave of frequency
    3π/4 / 2^scale, minus the multiple of the Gaussian that makes the mean exactly zero.

    Args:
        size: Rows and columns of the plane, zero frequency first.
        scale: j, from 0.
        orientations: L; the Gaussian is 4/L times as wide along its wave as across.
    """
    return torch.stack([_morlet(size, scale, 4 / orientations, a) for a in angles(orientations)])


def gaussian(n: int, scale: int) -> Tensor:
    """One axis of the low-pass filter's Fourier transform, float64, (n,).

    Its deviation is 0.8 · 2^(scale - 1) pixels; the filter is the outer product of its axes.
    """
    return math.sqrt(_NORM) * _folded((n,), (_SIGMA * 2 ** (scale - 1),), (0.0,), 0.0)


def crop(spectrum: Tensor, times: int, axes: Sequence[int] = (-2, -1)) -> Tensor:
    """The spectrum's low frequencies, for a signal with `times` fewer samples.

    Frequencies beyond the new Nyquist limit are dropped, not aliased.
    """
    for axis in axes:
        half = spectrum.shape[axis] // times // 2
        low = spectrum.narrow(axis, 0, half)
        high = spectrum.narrow(axis, spectrum.shape[axis] - half, half)
        spectrum = torch.cat([low, high], axis) if times > 1 else spectrum
    return spectrum


def _morlet(size: Sequence[int], scale: int, slant: float, angle: float) -> Tensor:
    sigma, xi = _SIGMA * 2**scale, _XI / 2**scale
    cosine, sine = math.cos(angle), math.sin(angle)
    # (σ²/2) [p² + (q/slant)²], with p and q the frequency along and across the wave, expanded as a
    # quadratic form in the row and column frequencies.
    rows = sigma * math.hypot(cosine, sine / slant)
    columns = sigma * math.hypot(sine, cosine / slant)
    mixed = sigma**2 * cosine * sine * (1 - slant**-2)
    wave = _folded(size, (rows, columns), (xi * cosine, xi * sine), mixed)
    envelope = _folded(size, (rows, columns), (0.0, 0.0), mixed)
    return _NORM * (wave - wave[0, 0] / envelope[0, 0] * envelope)


def _folded(
    size: Sequence[int], widths: Sequence[float], centre: Sequence[float], mixed: float
) -> Tensor:
    """exp(-½ (a² u² + 2 m u v + b² v²)) around `centre`, summed over periods of `size`.

    `widths` are a and b, `mixed` is m, u and v are in radians per pixel. One axis or two.
    """
    # The ellipse's extent along an axis exceeds its cut through the centre where m is not 0.
    extent = 1 - (mixed / math.prod(widths)) ** 2
    axes, paddings = [], []
    for n, width, middle in zip(size, widths, centre, strict=True):
        reach = _REACH / (width * math.sqrt(extent))
        first, last = (math.floor((middle + s * reach) * n / (2 * math.pi)) for s in (-1, 1))
        index = torch.arange(first, last + 1, dtype=torch.float64)
        axes.append(2 * math.pi / n * index - middle)
        paddings.append((first % n, -(last + 1) % n))  # to complete periods
    power = (widths[0] * axes[0]).square_()
    if len(axes) == 2:
        u, v = axes[0][:, None], axes[1][None, :]
        power = torch.addmm((widths[1] * v).square_() + power[:, None], u, v, alpha=2 * mixed)
    table = F.pad(power.mul_(-0.5).exp_(), [n for pair in reversed(paddings) for n in pair])
    for axis, n in enumerate(size):
        table = table.unflatten(axis, (-1, n)).sum(axis)
    return table
