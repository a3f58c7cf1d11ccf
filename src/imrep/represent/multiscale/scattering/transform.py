"""The scattering transform of planes, fast: equal to `reference.scattering`.

A `Plan` holds the filters of one image size; `scatter` applies it. Three steps save the time:

- Subsampling by k in space is the mean of the spectrum's k × k blocks, so it is done before the
  inverse transform, which becomes k² times as small.
- A filter's blocks without energy are left out.
- φ is separable and its output is subsampled by 2^J, so the average is a product with one small
  matrix per axis, without a Fourier transform.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

import torch
from torch import Tensor

from imrep.ops.filter.borders import reflected
from imrep.ops.tiling import cut
from imrep.represent.multiscale.scattering import native as in_c
from imrep.represent.multiscale.scattering.wavelets import crop, gaussian, morlet

P = ParamSpec("P")
T = TypeVar("T")

_TILE_BYTES = 2**21  # of complex numbers, about the size of an L2 cache
_MIN_HALF_COLUMNS = 100  # from here a half spectrum and its mirror image beat a full transform
_NEGLIGIBLE = {torch.float32: 1e-6, torch.float64: 1e-14}  # of a filter's peak: round-off


def paths(scales: int, orientations: int, order: int) -> Tensor:
    """`path_rows`, int64, (paths, 7)."""
    return torch.tensor(path_rows(scales, orientations, order))


def path_rows(scales: int, orientations: int, order: int) -> list[tuple[int, ...]]:
    """One row per path in the order of the code.

    Columns: order, j1, j2, theta1, theta2, n1, n2, with n = j L + theta; -1 where absent.
    """
    thetas = range(orientations)
    rows: list[tuple[int, ...]] = [(0, -1, -1, -1, -1, -1, -1)]
    first = [(j, t) for j in range(scales) for t in thetas]
    rows += [(1, j, -1, t, -1, j * orientations + t, -1) for j, t in first]
    rows += [
        (2, j1, j2, t1, t2, j1 * orientations + t1, j2 * orientations + t2)
        for j1, t1 in first if order == 2
        for j2 in range(j1 + 1, scales)
        for t2 in thetas
    ]  # fmt: skip
    return rows


@dataclass(frozen=True)
class Bank:
    """Wavelets of one scale on a spectrum of one size, and the subsampling by `factor` after them.

    `filters` are (blocks, rows, columns, orientations): the spectra cut into factor × factor
    blocks, without those where every wavelet is negligible, divided by factor² so that their sum is
    the mean.
    """

    filters: Tensor
    blocks: tuple[int, ...]  # indices of the blocks in `filters`, row by row
    factor: int

    @property
    def numbers(self) -> int:
        """Pixels of one modulus."""
        return self.filters[0, ..., 0].numel()

    @functools.cached_property
    @torch.inference_mode(False)
    def interleaved(self) -> Tensor:
        """The filters, once for each of real and imaginary part."""
        return self.filters.flatten(1, 2).permute(2, 0, 1).unsqueeze(3).repeat(1, 1, 1, 2)

    @functools.cached_property
    def group(self) -> in_c.Group | None:
        """The filters in the C kernel's layout, if it takes this size."""
        return in_c.group(self.filters, self.blocks, self.factor)

    def cut(self, spectra: Tensor) -> Tensor:
        """The spectra (n, rows, columns) by blocks, as real numbers (n, blocks, numbers, 2).

        While tracing they stay complex, (n, blocks, rows, columns): graphs without complex numbers
        have real and imaginary parts as tensors of their own.
        """
        if torch.compiler.is_compiling():
            return self._blocks(spectra)
        if self.factor == 1:
            return torch.view_as_real(spectra).flatten(1, 2).unsqueeze(1)
        return torch.view_as_real(self._blocks(spectra).contiguous()).flatten(2, 3)

    def moduli(self, blocks: Tensor, which: slice) -> Tensor:
        """|x ∗ ψ| of some orientations, (n, orientations, rows, columns), from `cut` blocks."""
        if torch.compiler.is_compiling():
            pairs = zip(blocks.unbind(1), self.filters[..., which].unbind(), strict=True)
            products = [block[:, None] * table.permute(2, 0, 1) for block, table in pairs]
            return torch.fft.ifft2(functools.reduce(torch.add, products)).abs()
        filters = self.interleaved[which]
        total = blocks[:, None, 0] * filters[:, 0]
        for i in range(1, len(self.blocks)):
            total.addcmul_(blocks[:, None, i], filters[:, i])
        total = torch.view_as_complex(total).unflatten(2, self.filters.shape[1:3])
        total = torch.fft.ifft2(total)
        return cast(Tensor, _Modulus.apply(total))

    def _blocks(self, spectra: Tensor) -> Tensor:
        """The blocks that filters are stored for, (n, blocks, rows, columns)."""
        k = self.factor
        blocks = spectra.unflatten(2, (k, -1)).unflatten(1, (k, -1)).transpose(2, 3).flatten(1, 2)
        return blocks if len(self.blocks) == k * k else blocks[:, list(self.blocks)]


@dataclass(frozen=True)
class Low:
    """φ at the end of a path, subsampled and cropped to the image, as rows · x · columns."""

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
    """The filters and tables for planes of one size.

    Args:
        size: Rows and columns of the planes.
        scales: J; averages are over about 2^J pixels and sampled every 2^J.
        orientations: L of the wavelets.
        order: 1 or 2 layers of wavelets.
        padded: Whether the planes are padded already: periodic, with both sides multiples of 2^J.
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
        self.padded = self.size if padded else tuple((n // step + 2) * step for n in self.size)
        self.before = tuple((p - n) // 2 for p, n in zip(self.padded, self.size, strict=True))
        self.shape = tuple(p // step - 2 for p in self.padded)
        self.paths = len(paths(scales, orientations, order))
        self._dtype, self._device = like.dtype, like.device
        self._make_filters()

    def _make_filters(self) -> None:
        waves = [morlet(self.padded, j, self.orientations) for j in range(self.scales)]
        self.first = [self._bank(wave, 0, j) for j, wave in enumerate(waves)]
        self.second = {
            (j1, j2): self._bank(waves[j2], j1, j2) if j1 else self.first[j2]
            for j1 in range(self.scales)
            for j2 in range(j1 + 1, self.scales)
            if self.order == 2
        }
        self.reflections = [
            self._to(_reflection(*sides), torch.long)
            for sides in zip(self.size, self.before, self.padded, strict=True)
        ]
        axes = [gaussian(n, self.scales) for n in self.padded]
        self.low = [self._low([self._average(h, j) for h in axes]) for j in range(self.scales)]
        # Order 0 reads the plane itself: the reflection at its borders is folded into the matrices.
        pairs = zip(axes, self.reflections, self.size, strict=True)
        sides = [_gathered(self._average(h, 0), source.cpu(), n) for h, source, n in pairs]
        self.lowest = self._low(sides)

    def _bank(self, wave: Tensor, level: int, scale: int) -> Bank:
        factor = 2 ** (scale - level)
        table = crop(wave, 2**level)
        blocks = table.unflatten(2, (factor, -1)).unflatten(1, (factor, -1)).transpose(2, 3)
        blocks = blocks.flatten(1, 2) / factor**2
        peaks = blocks.abs().amax((0, 2, 3)).tolist()
        limit = _NEGLIGIBLE[self._dtype] * max(peaks)
        indices = [i for i, peak in enumerate(peaks) if peak > limit]
        filters = self._to(blocks[:, indices].permute(1, 2, 3, 0).contiguous())
        return Bank(filters, tuple(indices), factor)

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
    """Run outside torch.compile's graph; `torch.compiler` is imported only then."""

    @functools.wraps(f)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if torch.compiler.is_compiling():
            return cast(T, torch.compiler.disable(f)(*args, **kwargs))
        return f(*args, **kwargs)

    return call


@_eagerly
@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # inference tensors in the cache could not take part in autograd
def plan(
    size: tuple[int, int],
    scales: int,
    orientations: int,
    order: int,
    padded: bool,
    dtype: torch.dtype,
    device: torch.device,
) -> Plan:
    """A `Plan`, from a cache of eight."""
    like = torch.empty(0, dtype=dtype, device=device)
    return Plan(size, scales, orientations, order, padded=padded, like=like)


@_eagerly
def scatter(x: Tensor, plan: Plan) -> Tensor:
    """Scattering coefficients of planes, (..., paths, m, n) of (..., rows, columns).

    Planes and orientations are processed in tiles that fit the cache.

    Raises:
        ValueError: If the planes are not of the plan's size.
    """
    if tuple(x.shape[-2:]) != plan.size:
        raise ValueError(
            f"this plan is for planes of {plan.size[0]}×{plan.size[1]}, "
            f"got {x.shape[-2]}×{x.shape[-1]}. Make another."
        )
    planes = x.reshape(-1, *plan.size)
    code = planes.new_empty(planes.shape[0], plan.paths, *plan.shape)
    code[:, 0] = plan.lowest(planes)
    for tile in _tiles(planes.shape[0], plan.orientations * math.prod(plan.padded), code):
        _fill(code[tile], planes[tile], plan)
    return code.reshape(*x.shape[:-2], *code.shape[1:])


def _fill(code: Tensor, planes: Tensor, plan: Plan) -> None:
    """Write orders one and two of a tile of planes into `code` (planes, paths, m, n)."""
    count = plan.orientations
    singles = code[:, 1 : 1 + plan.scales * count].unflatten(1, (plan.scales, count))
    doubles = code[:, 1 + plan.scales * count :]
    spectra = _Spectra(_padded(planes, plan))
    for j1, bank in enumerate(plan.first):
        deeper = range(j1 + 1, plan.scales) if plan.order == 2 else range(0)
        pairs = doubles[:, : count * count * len(deeper)]
        doubles = doubles[:, count * count * len(deeper) :]
        for tile, first, averages in _layer(spectra, bank, plan.low[j1], keep=bool(deeper)):
            singles[:, j1, tile] = averages
            if first is None:
                continue
            second = _Spectra(first.flatten(0, 1))
            into = pairs.unflatten(1, (count, len(deeper), count))[:, tile]
            for i, j2 in enumerate(deeper):
                averages = _last(second, plan.second[j1, j2], plan.low[j2])
                into[:, :, i] = averages.unflatten(0, into.shape[:2])


def _layer(
    spectra: "_Spectra", bank: Bank, low: Low, which: slice = slice(None), *, keep: bool
) -> Iterator[tuple[slice, Tensor | None, Tensor]]:
    """Tiles of orientations: their slice, |x ∗ ψ| if `keep` (else None), and its averages.

    Of the planes `which`; moduli are (n, orientations, rows, columns).
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
        blocks = bank.cut(spectra.full[which])
        for tile in _tiles(count, blocks.shape[0] * bank.numbers, blocks):
            moduli = bank.moduli(blocks, tile)
            yield tile, moduli if keep else None, low(moduli)


def _last(spectra: "_Spectra", bank: Bank, low: Low) -> Tensor:
    """Averages of |x ∗ ψ|, (n, orientations, m, n), at the end of their paths."""
    numbers = bank.filters.shape[3] * bank.numbers
    tiles = []
    for tile in _tiles(spectra.planes.shape[0], numbers, spectra.planes):
        parts = _layer(spectra, bank, low, tile, keep=False)
        tiles.append(torch.cat([averages for *_, averages in parts], 1))
    return torch.cat(tiles)


def _tiles(count: int, numbers: int, like: Tensor) -> list[slice]:
    """Slices of `count` items, each of `numbers` complex numbers, that fit into the cache."""
    if torch.compiler.is_compiling():  # the length of a batch may be left open
        return [slice(None)]
    return cut(count, max(1, _TILE_BYTES // (numbers * 2 * like.element_size())))


class _Spectra:
    """Spectra of real planes (n, rows, columns): half for the C kernel, full for torch."""

    def __init__(self, planes: Tensor) -> None:
        self.planes = planes

    @functools.cached_property
    def half(self) -> Tensor:
        """Columns 0 … n/2; those of a real plane determine the others."""
        return torch.fft.rfft2(self.planes)

    @functools.cached_property
    def full(self) -> Tensor:
        """All columns, by symmetry: X(-u, -v) is the conjugate of X(u, v)."""
        columns = self.planes.shape[-1]
        if columns < _MIN_HALF_COLUMNS or self.planes.requires_grad:
            return torch.fft.fft2(self.planes)
        count = self.half.shape[-1]
        full = self.half.new_empty(self.planes.shape)
        full[..., :count] = self.half
        mirrored = self.half[..., 1 : columns - count + 1]
        full[..., count:] = mirrored.flip(-1, -2).roll(1, -2).conj()
        return full


def _padded(x: Tensor, plan: Plan) -> Tensor:
    if plan.padded == plan.size:
        return x
    rows, columns = plan.reflections
    return x.index_select(-2, rows).index_select(-1, columns)


def _reflection(n: int, before: int, padded: int) -> Tensor:
    """Source index of each pixel of a padded axis; the edge is not repeated."""
    return reflected(torch.arange(padded) - before, n)


def _gathered(matrix: Tensor, source: Tensor, n: int) -> Tensor:
    """The matrix G with G x = matrix · x[source], for x (n,)."""
    return matrix.new_zeros(len(matrix), n).index_add_(1, source, matrix)


class _Modulus(torch.autograd.Function):
    """|z| with the gradient z / |z|, zero at z = 0, where the square root's would be NaN."""

    @staticmethod
    def forward(z: Tensor) -> Tensor:
        real, imaginary = torch.view_as_real(z).unbind(-1)  # twice as fast as z.abs()
        return real.square().addcmul_(imaginary, imaginary).sqrt_()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        z, modulus = ctx.saved_tensors
        ratio = torch.where(modulus > 0, slope / modulus, 0)
        return torch.view_as_complex(torch.view_as_real(z) * ratio.unsqueeze(-1))
