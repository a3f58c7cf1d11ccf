"""The scattering transform of planes: wavelets, moduli, averages, at the least cost.

A plan holds what depends on the size alone; `scatter` applies it. Everything happens between the
Fourier domain, where a wavelet is a product, and space, where the modulus is. Subsampling by k is
the mean of the spectrum's k × k blocks, so it comes before the inverse transform and shrinks it.
The average at the end of each path never sees the Fourier domain: φ is separable and few samples
are kept, so that it is a small matrix on either side.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

import torch
from torch import Tensor

from imrep.represent.multiscale.scattering import native as in_c
from imrep.represent.multiscale.scattering.wavelets import crop, gaussian, morlet

P = ParamSpec("P")
T = TypeVar("T")

_BYTES = 2**21  # of complex numbers at work: about what a core's own cache holds
_FASTER_REAL = 100  # pixels from which half a spectrum and its mirror image beat a whole one
_UNHEARD = {torch.float32: 1e-6, torch.float64: 1e-14}  # of a filter's peak: lost in rounding


def paths(scales: int, orientations: int, order: int) -> Tensor:
    """One row per path in the order of the code, int64, (paths, 7).

    Columns: order, j1, j2, theta1, theta2, n1, n2, with n = j L + theta; -1 where absent.
    """
    turns = range(orientations)
    rows = [(0, -1, -1, -1, -1, -1, -1)]
    first = [(j, t) for j in range(scales) for t in turns]
    rows += [(1, j, -1, t, -1, j * orientations + t, -1) for j, t in first]
    rows += [
        (2, j1, j2, t1, t2, j1 * orientations + t1, j2 * orientations + t2)
        for j1, t1 in first if order == 2
        for j2 in range(j1 + 1, scales)
        for t2 in turns
    ]  # fmt: skip
    return torch.tensor(rows)


@dataclass(frozen=True)
class Bank:
    """Wavelets of one scale on a spectrum of some size, and the subsampling that follows them.

    `filters` are (blocks, rows, columns, orientations): the tables cut into times × times blocks,
    without those in which no wavelet is heard, and divided by times² so that adding is averaging.
    """

    filters: Tensor
    kept: tuple[int, ...]  # which blocks, row by row
    times: int

    @property
    def numbers(self) -> int:
        """Of one modulus."""
        return self.filters[0, ..., 0].numel()

    @functools.cached_property
    @torch.inference_mode(False)
    def twice(self) -> Tensor:
        """The filters for real and for imaginary parts, (orientations, blocks, numbers, 2)."""
        return self.filters.flatten(1, 2).permute(2, 0, 1).unsqueeze(3).repeat(1, 1, 1, 2)

    @functools.cached_property
    def group(self) -> in_c.Group | None:
        """The same for the kernel, where it serves this size."""
        return in_c.group(self.filters, self.kept, self.times)

    def cut(self, spectra: Tensor) -> Tensor:
        """The kept blocks of (n, rows, columns), real (n, blocks, numbers, 2)."""
        if self.times == 1:
            return torch.view_as_real(spectra).flatten(1, 2).unsqueeze(1)
        k = self.times
        blocks = spectra.unflatten(2, (k, -1)).unflatten(1, (k, -1)).transpose(2, 3).flatten(1, 2)
        blocks = blocks if len(self.kept) == k * k else blocks[:, list(self.kept)]
        return torch.view_as_real(blocks.contiguous()).flatten(2, 3)

    def moduli(self, blocks: Tensor, which: slice) -> Tensor:
        """|x ∗ ψ| of some orientations, (n, orientations, rows, columns), from `cut` blocks."""
        twice = self.twice[which]
        total = blocks[:, None, 0] * twice[:, 0]
        for i in range(1, len(self.kept)):
            total.addcmul_(blocks[:, None, i], twice[:, i])
        total = torch.view_as_complex(total).unflatten(2, self.filters.shape[1:3])
        total = torch.fft.ifft2(total)
        return cast(Tensor, _Modulus.apply(total))


@dataclass(frozen=True)
class Low:
    """The average at the end of a path, subsampled and without its border: rows x columns^T."""

    rows: Tensor  # (samples, rows)
    columns: Tensor  # (columns, samples)

    @functools.cached_property
    @torch.inference_mode(False)
    def across(self) -> Tensor:
        """(samples, columns)."""
        return self.columns.T.contiguous()

    def __call__(self, x: Tensor) -> Tensor:
        """Samples (..., m, n) of (..., rows, columns)."""
        return torch.matmul(self.rows, x) @ self.columns

    def inner(self, x: Tensor) -> Tensor:
        """Samples (n, orientations, m, n) of (n, rows, columns, orientations)."""
        half = torch.matmul(self.rows, x.flatten(2)).unflatten(2, x.shape[2:])
        return (half.transpose(2, 3).contiguous() @ self.columns).transpose(1, 2)


class Plan:
    """All that the transform of planes of one size needs.

    Args:
        size: Rows and columns of the planes.
        scales: J; averages are over about 2^J pixels and kept every 2^J.
        orientations: L of the wavelets.
        order: 1 or 2 layers of wavelets.
        padded: Whether the planes come padded: periodic, with both sides multiples of 2^J.
        like: Dtype (float32 or float64) and device of the planes.
    """

    def __init__(
        self,
        size: Sequence[int],
        scales: int,
        orientations: int,
        order: int = 2,
        *,
        padded: bool = False,
        like: Tensor,
    ) -> None:
        self.size = size[0], size[1]
        self.scales, self.orientations, self.order = scales, orientations, order
        step = 2**scales
        self.whole = self.size if padded else tuple((n // step + 2) * step for n in self.size)
        self.before = tuple((w - n) // 2 for w, n in zip(self.whole, self.size, strict=True))
        self.shape = tuple(w // step - 2 for w in self.whole)
        self.paths = len(paths(scales, orientations, order))
        self._dtype, self._device = like.dtype, like.device
        self._make_filters()

    def _make_filters(self) -> None:
        waves = [morlet(self.whole, j, self.orientations) for j in range(self.scales)]
        self.first = [self._bank(wave, 0, j) for j, wave in enumerate(waves)]
        self.second = {
            (j1, j2): self._bank(waves[j2], j1, j2) if j1 else self.first[j2]
            for j1 in range(self.scales)
            for j2 in range(j1 + 1, self.scales)
            if self.order == 2
        }
        self.reflections = [
            self._to(_reflection(*sides), torch.long)
            for sides in zip(self.size, self.before, self.whole, strict=True)
        ]
        axes = [gaussian(n, self.scales) for n in self.whole]
        self.low = [self._low([self._average(h, j) for h in axes]) for j in range(self.scales)]
        # The first average has the reflection in it, so that it reads the plane itself.
        pairs = zip(axes, self.reflections, self.size, strict=True)
        sides = [_gathered(self._average(h, 0), place.cpu(), n) for h, place, n in pairs]
        self.lowest = self._low(sides)

    def _bank(self, wave: Tensor, level: int, scale: int) -> Bank:
        times = 2 ** (scale - level)
        table = crop(wave, 2**level)
        blocks = table.unflatten(2, (times, -1)).unflatten(1, (times, -1)).transpose(2, 3)
        blocks = blocks.flatten(1, 2) / times**2
        loud = blocks.abs().amax((0, 2, 3)).tolist()
        kept = [i for i, one in enumerate(loud) if one > _UNHEARD[self._dtype] * max(loud)]
        return Bank(self._to(blocks[:, kept].permute(1, 2, 3, 0).contiguous()), tuple(kept), times)

    def _average(self, spectrum: Tensor, level: int) -> Tensor:
        """One axis of φ on a signal with every 2^level-th sample, (samples, n / 2^level)."""
        wave = torch.fft.ifft(crop(spectrum, 2**level, (0,))).real
        n, step = len(wave), 2 ** (self.scales - level)
        centres = step * torch.arange(1, n // step - 1)
        return wave[(centres[:, None] - torch.arange(n)) % n]

    def _low(self, sides: Sequence[Tensor]) -> Low:
        return Low(self._to(sides[0]), self._to(sides[1].T.contiguous()))

    def _to(self, table: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        return table.to(self._device, dtype or self._dtype)


def _eagerly(f: Callable[P, T]) -> Callable[P, T]:
    """Beside what is being compiled. Asking for that imports the compiler, so only then."""

    @functools.wraps(f)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if torch.compiler.is_compiling():
            return cast(T, torch.compiler.disable(f)(*args, **kwargs))
        return f(*args, **kwargs)

    return call


@_eagerly
@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # tensors made within it could not be used with gradients afterwards
def plan(
    size: tuple[int, int],
    scales: int,
    orientations: int,
    order: int,
    padded: bool,
    dtype: torch.dtype,
    device: torch.device,
) -> Plan:
    """A plan as `Plan` makes it; the last eight are kept."""
    like = torch.empty(0, dtype=dtype, device=device)
    return Plan(size, scales, orientations, order, padded=padded, like=like)


@_eagerly
def scatter(x: Tensor, plan: Plan) -> Tensor:
    """Scattering coefficients of planes, (..., paths, m, n) of (..., rows, columns).

    Without a gradient, planes and orientations go through in tiles that stay in the cache.

    Raises:
        ValueError: If the planes are not of the plan's size.
    """
    if tuple(x.shape[-2:]) != plan.size:
        raise ValueError(
            f"this plan is for planes of {plan.size[0]}×{plan.size[1]}, "
            f"got {x.shape[-2]}×{x.shape[-1]}. Make another."
        )
    planes = x.reshape(-1, *plan.size)
    found = planes.new_empty(len(planes), plan.paths, *plan.shape)
    found[:, 0] = plan.lowest(planes)
    for some in _tiles(len(planes), plan.orientations * math.prod(plan.whole), found):
        _fill(found[some], planes[some], plan)
    return found.reshape(*x.shape[:-2], *found.shape[1:])


def _fill(found: Tensor, planes: Tensor, plan: Plan) -> None:
    """Orders one and two of a few planes, into (planes, paths, m, n)."""
    count = plan.orientations
    singles = found[:, 1 : 1 + plan.scales * count].unflatten(1, (plan.scales, count))
    doubles = found[:, 1 + plan.scales * count :]
    spectra = _Spectra(_padded(planes, plan))
    for j1, bank in enumerate(plan.first):
        deeper = range(j1 + 1, plan.scales) if plan.order == 2 else range(0)
        pairs = doubles[:, : count * count * len(deeper)]
        doubles = doubles[:, count * count * len(deeper) :]
        for some, first, averages in _layer(spectra, bank, plan.low[j1], keep=bool(deeper)):
            singles[:, j1, some] = averages
            if first is None:
                continue
            again = _Spectra(first.flatten(0, 1))
            into = pairs.unflatten(1, (count, len(deeper), count))[:, some]
            for i, j2 in enumerate(deeper):
                averages = _last(again, plan.second[j1, j2], plan.low[j2])
                into[:, :, i] = averages.unflatten(0, into.shape[:2])


def _layer(
    spectra: "_Spectra", bank: Bank, low: Low, which: slice = slice(None), *, keep: bool
) -> Iterator[tuple[slice, Tensor | None, Tensor]]:
    """|x ∗ ψ| (n, some orientations, rows, columns) if wanted, and its averages, part by part.

    Of the planes that `which` says.
    """
    count = bank.filters.shape[3]
    native = in_c.library(spectra.planes)
    if native and bank.group and count == in_c.EIGHT:
        averages, first = bank.group.averages(
            native, spectra.half[which], low.rows, low.across, keep=keep
        )
        yield slice(None), first, averages
    elif native and bank.group:
        inner = bank.group.moduli(native, spectra.half[which])
        first = inner.permute(0, 3, 1, 2).contiguous() if keep else None
        yield slice(None), first, low.inner(inner)
    else:
        blocks = bank.cut(spectra.whole[which])
        for some in _tiles(count, len(blocks) * bank.numbers, blocks):
            found = bank.moduli(blocks, some)
            yield some, found if keep else None, low(found)


def _last(spectra: "_Spectra", bank: Bank, low: Low) -> Tensor:
    """Averages of |x ∗ ψ|, (n, orientations, m, n), from which no path goes on."""
    numbers = bank.filters.shape[3] * bank.numbers
    found = []
    for some in _tiles(len(spectra.planes), numbers, spectra.planes):
        parts = _layer(spectra, bank, low, some, keep=False)
        found.append(torch.cat([averages for *_, averages in parts], 1))
    return torch.cat(found)


def _tiles(count: int, numbers: int, like: Tensor) -> Iterator[slice]:
    """Slices of `count` things of so many complex numbers each that fit into the cache."""
    most = max(1, _BYTES // (numbers * 2 * like.element_size()))
    for start in range(0, count, most):
        yield slice(start, start + most)


class _Spectra:
    """Spectra of real planes (n, rows, columns), by half for the kernel or whole for torch."""

    def __init__(self, planes: Tensor) -> None:
        self.planes = planes

    @functools.cached_property
    def half(self) -> Tensor:
        """Columns 0 … n/2, which are all that a real plane's spectrum says."""
        return torch.fft.rfft2(self.planes)

    @functools.cached_property
    def whole(self) -> Tensor:
        """All columns: X(-u, -v) is the conjugate of X(u, v), so the rest comes in reverse."""
        columns = self.planes.shape[-1]
        if columns < _FASTER_REAL or self.planes.requires_grad:
            return torch.fft.fft2(self.planes)
        known = self.half.shape[-1]
        whole = self.half.new_empty(self.planes.shape)
        whole[..., :known] = self.half
        rest = self.half[..., 1 : columns - known + 1]
        whole[..., known:] = rest.flip(-1, -2).roll(1, -2).conj()
        return whole


def _padded(x: Tensor, plan: Plan) -> Tensor:
    if plan.whole == plan.size:
        return x
    rows, columns = plan.reflections
    return x.index_select(-2, rows).index_select(-1, columns)


def _reflection(n: int, before: int, whole: int) -> Tensor:
    """Where each pixel of a padded axis comes from; the edge is not repeated."""
    place = (torch.arange(whole) - before) % max(2 * n - 2, 1)
    return torch.where(place < n, place, 2 * n - 2 - place)


def _gathered(matrix: Tensor, place: Tensor, n: int) -> Tensor:
    """The matrix that does to x (n,) what `matrix` does to x[place]."""
    return matrix.new_zeros(len(matrix), n).index_add_(1, place, matrix)


class _Modulus(torch.autograd.Function):
    """|z| and its slope z / |z|, zero where z is zero: the square root alone would give NaN."""

    @staticmethod
    def forward(z: Tensor) -> Tensor:
        real, imaginary = torch.view_as_real(z).unbind(-1)  # as fast again as z.abs()
        return real.square().addcmul_(imaginary, imaginary).sqrt_()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        z, size = ctx.saved_tensors
        share = torch.where(size > 0, slope / size, 0)
        return torch.view_as_complex(torch.view_as_real(z) * share.unsqueeze(-1))
