"""Morlet wavelets and their low-pass filter on the discrete plane of frequencies, in closed form.

A Gaussian sampled in space has, as its discrete Fourier transform, a Gaussian folded on the torus
of frequencies: so each filter is written down where it is used, and nothing is transformed. They
are those of the scattering literature's software, which divides by 2 · 3.1415 σ² for 2π σ²; the
factor is kept, since all published numbers have it.

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
    """Transforms of the wavelets of one scale, real, float64, (orientations, rows, columns).

    An oval Gaussian of width 0.8 · 2^scale pixels along its wave of frequency 3π/4 / 2^scale, less
    as much of the same Gaussian without a wave as brings the mean to zero, exactly.

    Args:
        size: Rows and columns of the plane, zero frequency first.
        scale: j, from 0.
        orientations: L; the Gaussian is 4/L times as wide along its wave as across.
    """
    return torch.stack([_morlet(size, scale, 4 / orientations, a) for a in angles(orientations)])


def gaussian(n: int, scale: int) -> Tensor:
    """One axis of the low-pass filter's transform, float64, (n,): 0.8 · 2^(scale - 1) pixels wide.

    The filter is the product of its axes.
    """
    return math.sqrt(_NORM) * _folded((n,), (_SIGMA * 2 ** (scale - 1),), (0.0,), 0.0)


def crop(spectrum: Tensor, times: int, axes: Sequence[int] = (-2, -1)) -> Tensor:
    """The frequencies left when a signal has `times` fewer samples: those beyond are cut off.

    Not folded, as subsampling would: what lies beyond the new half is dropped.
    """
    for axis in axes:
        half = spectrum.shape[axis] // times // 2
        low = spectrum.narrow(axis, 0, half)
        high = spectrum.narrow(axis, spectrum.shape[axis] - half, half)
        spectrum = torch.cat([low, high], axis) if times > 1 else spectrum
    return spectrum


def littlewood_paley(size: Sequence[int], scales: int, orientations: int) -> Tensor:
    """Share of a real image's energy that the filters pass at each frequency, (rows, columns).

    |φ|² and the wavelets' |ψ|², half at ω and half at -ω. One everywhere would keep all energy;
    these give 0.12 in the corners and up to 1.07, so fine detail is attenuated.
    """
    low = gaussian(size[0], scales)[:, None] * gaussian(size[1], scales)[None, :]
    power = low.square()
    for scale in range(scales):
        one = morlet(size, scale, orientations).square().sum(0)
        power += (one + one.flip(0, 1).roll((1, 1), (0, 1))) / 2
    return power


def _morlet(size: Sequence[int], scale: int, slant: float, angle: float) -> Tensor:
    sigma, xi = _SIGMA * 2**scale, _XI / 2**scale
    cos, sin = math.cos(angle), math.sin(angle)
    # (σ²/2) [p² + (q/slant)²] with p, q the frequency along and across the wave, as a form in w.
    rows = sigma * math.hypot(cos, sin / slant)
    columns = sigma * math.hypot(sin, cos / slant)
    mixed = sigma**2 * cos * sin * (1 - slant**-2)
    wave = _folded(size, (rows, columns), (xi * cos, xi * sin), mixed)
    still = _folded(size, (rows, columns), (0.0, 0.0), mixed)
    return _NORM * (wave - wave[0, 0] / still[0, 0] * still)


def _folded(
    size: Sequence[int], widths: Sequence[float], centre: Sequence[float], mixed: float
) -> Tensor:
    """exp(-½ (a² u² + 2 m u v + b² v²)) around `centre` on the plane, folded on the torus `size`.

    `widths` are a and b, `mixed` is m, u and v are in radians per pixel. One axis or two.
    """
    alone = 1 - (mixed / math.prod(widths)) ** 2  # an axis is wider than its own cut, if mixed
    axes, turns = [], []
    for n, width, middle in zip(size, widths, centre, strict=True):
        reach = _REACH / (width * math.sqrt(alone))
        first, last = (math.floor((middle + s * reach) * n / (2 * math.pi)) for s in (-1, 1))
        place = torch.arange(first, last + 1, dtype=torch.float64)
        axes.append(2 * math.pi / n * place - middle)
        turns.append((first % n, -(last + 1) % n))  # that fill the first and the last turn
    power = (widths[0] * axes[0]).square_()
    if len(axes) == 2:
        u, v = axes[0][:, None], axes[1][None, :]
        power = torch.addmm((widths[1] * v).square_() + power[:, None], u, v, alpha=2 * mixed)
    whole = F.pad(power.mul_(-0.5).exp_(), [n for turn in reversed(turns) for n in turn])
    for axis, n in enumerate(size):
        whole = whole.unflatten(axis, (-1, n)).sum(axis)
    return whole
