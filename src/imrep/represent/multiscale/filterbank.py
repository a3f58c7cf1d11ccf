"""A bank of filters, rectified: what one layer of a network computes, and how to undo it."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from imrep import check
from imrep.base import Representation
from imrep.cards import Card, Inverse
from imrep.codes import Map
from imrep.drawing import enlarge, light, montage, signed, stack
from imrep.errors import BadImage, BadParameter, NoInverse
from imrep.ops.cells import means
from imrep.ops.dct import basis
from imrep.types import Image, Picture, Vectors

_WAVELENGTHS = (2.5, 5.0, 10.0)  # pixels; the shortest that still leaves the corners of the plane
_ORIENTATIONS = 4
_WIDTH = 0.5  # of the Gaussian, in wavelengths
_RANDOM = 16  # filters
_LEAST = 2  # pixels a filter needs to have a shape
_SOLVABLE = 1e5  # condition number up to which float32 gives the image back to 1e-5
_FLOOR = 1e-6  # keeps the slope of the square root finite at zero


class Filterbank(Representation[Map]):
    """Responses of a bank of filters, negative ones set to zero.

    Each channel is convolved, circularly, with every filter, and only what is positive is kept:
    one layer of a network with filters that nobody had to learn. The banks: `gabor`, a low-pass and
    waves of three lengths and four directions under a Gaussian, each as cosine and sine; `random`,
    16 filters of noise; `dct`, the size² products of cosines; or the path of a file.

    Half of the numbers are gone, yet the image is not: where a response is positive it is known
    exactly, and these equations outnumber the pixels. `invert` solves them by conjugate gradients,
    preconditioned with the bank's power at each frequency. It needs a bank that passes every
    frequency: the ratio of the greatest to the least power (`condition`, from `frame_bounds`) says
    how well. The vector is the square root of each map's mean per cell.

    Args:
        bank: "gabor", "random", "dct", or a .npy, .npz or .safetensors file of real kernels (k, h,
            w), their only array or the one named kernels; it fixes `size` itself.
        size: Side of the filters in pixels; images must be as large.
        cells: Cells per side that the vector averages over.

    References:
        A. C. Bovik, M. Clark and W. S. Geisler, "Multichannel texture analysis using localized
        spatial filters", IEEE Trans. PAMI 12(1), 1990. doi:10.1109/34.41384

    Example:
        >>> import torch, imrep
        >>> bank = imrep.get("filterbank:bank=random,size=5")
        >>> image = torch.rand(1, 1, 16, 20)
        >>> code = bank.encode(image)
        >>> tuple(code.values.shape), float((bank.invert(code) - image).abs().max()) < 1e-5
        ((1, 16, 16, 20), True)
    """

    card = Card(
        title="Filter bank",
        family="multiscale",
        cite="Bovik, Clark & Geisler 1990, doi:10.1109/34.41384",
        inverse="exact",
    )
    kernels: Tensor

    def __init__(self, *, bank: str = "gabor", size: int = 15, cells: int = 4) -> None:
        check.at_least(size, _LEAST, self.name, "size")
        check.at_least(cells, 1, self.name, "cells")
        super().__init__()
        self.bank, self.size, self.cells = bank, size, cells
        made = bank in _BANKS
        kernels = _BANKS[bank](size) if made else _read(bank, self.name)
        self.register_buffer("kernels", kernels.float(), persistent=not made)

    @property
    def frame_bounds(self) -> tuple[float, float]:
        """Least and greatest power of the bank over the frequencies of a 64 × 64 image."""
        side = max(64, *self.kernels.shape[1:])
        power = _power(self._spectra(side, side, self.kernels.double()))
        return float(power.min()), float(power.max())

    @property
    def condition(self) -> float:
        """Greatest over least power; infinite where the bank is blind to a frequency."""
        low, high = self.frame_bounds
        return high / low if low > 0 else math.inf

    @property
    def inverse(self) -> Inverse:
        """Exact where every frequency passes well enough."""
        return "exact" if self.condition < _SOLVABLE else "none"

    def encode(self, image: Image) -> Map:
        """Rectified maps (batch, channel * filter, height, width), channel by channel."""
        check.image(image, self.name)
        height, width = image.shape[2:]
        self._check_size(height, width)
        spectra = self._spectra(height, width, image)
        # One image at a time: its maps stay in the cache, where a batch's would not.
        maps = [_filter(one, spectra).relu_().flatten(1, 2) for one in image.split(1)]
        return Map(torch.cat(maps), (height, width))

    def pool(self, code: Map) -> Vectors:
        """Square roots of the maps' means per cell."""
        return (means(code.values, self.cells) + _FLOOR).sqrt()

    def invert(self, code: Map, iterations: int = 60) -> Image:
        """The image from equalities at positive responses, by conjugate gradients.

        Raises:
            NoInverse: If the bank is blind to a frequency of images of this size.
        """
        maps = code.values.unflatten(1, (-1, len(self.kernels)))
        # What the bank hardly passes has little to go by: single precision loses two digits there.
        maps = maps if maps.device.type == "mps" else maps.double()
        spectra = self._spectra(*code.size, maps)
        power = _power(spectra)
        if not float(power.max()) < _SOLVABLE * float(power.min()):
            raise NoInverse(
                f"{self.name} needs a bank that passes every frequency, got power from "
                f"{float(power.min()):.3g} to {float(power.max()):.3g}. Add a low-pass filter."
            )
        active = maps > 0
        image = _conjugate_gradients(
            lambda x: _adjoint(active * _filter(x, spectra), spectra),
            lambda x: torch.fft.irfft2(torch.fft.rfft2(x) / power, s=code.size),
            _adjoint(maps, spectra),
            iterations,
        )
        return image.to(code.values)

    def equations(self, code: Map) -> Tensor:
        """Positive responses per pixel, (batch, channel): below one, `invert` has too few."""
        maps = code.values.unflatten(1, (-1, len(self.kernels)))
        return (maps > 0).sum(2).to(maps).mean((2, 3))

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The filters above, their responses in the same order below."""
        maps = code.values.detach().unflatten(1, (-1, len(self.kernels))).mean(1)
        responses = montage([light(one) for one in maps.split(1, dim=1)])
        kernels = self.kernels.to(maps).expand(len(maps), -1, -1, -1)
        return stack(
            [
                enlarge(montage([signed(one) for one in kernels.split(1, dim=1)])),
                enlarge(responses),
            ]
        )

    def load_weights(self, folder: str | Path) -> "Filterbank":
        """Load kernels that came from a file, whatever their number and size."""
        path = Path(folder) / "weights.safetensors"
        if path.is_file() and (stored := load_file(path)):
            self.bank = _digest(stored["kernels"])
            self.register_buffer("kernels", torch.empty_like(stored["kernels"]), persistent=True)
        super().load_weights(folder)
        return self

    def _written(self) -> dict[str, Any]:
        bank = self.bank if self.bank in _BANKS else _digest(self.kernels)
        return {**self.get_params(), "bank": bank}

    def _blank_spec(self) -> str:
        return (
            self.spec if self.bank in _BANKS else f"{self.name}:size={self.size},cells={self.cells}"
        )

    def _spectra(self, height: int, width: int, like: Tensor) -> Tensor:
        """Transforms of the filters with their centres at the origin, (k, height, columns)."""
        rows, columns = self.kernels.shape[1:]
        padded = F.pad(self.kernels.to(like), (0, width - columns, 0, height - rows))
        return torch.fft.rfft2(padded.roll((-(rows // 2), -(columns // 2)), (1, 2)))

    def _check_size(self, height: int, width: int) -> None:
        rows, columns = self.kernels.shape[1:]
        if height < rows or width < columns:
            least = min(height, width)
            smaller = self.bank in _BANKS and least >= _LEAST
            raise BadImage(
                f"{self.name} needs images of at least {rows}×{columns}, its filters' size, "
                f"got {height}×{width}. "
                + (f"Use size={least} or enlarge them." if smaller else "Enlarge them first.")
            )


def _filter(x: Tensor, spectra: Tensor) -> Tensor:
    """Circular convolutions of (b, c, h, w), (b, c, k, h, w)."""
    return torch.fft.irfft2(torch.fft.rfft2(x).unsqueeze(2) * spectra, s=x.shape[-2:])


def _adjoint(maps: Tensor, spectra: Tensor) -> Tensor:
    """Correlations of (b, c, k, h, w) with the filters, added up to (b, c, h, w)."""
    total = (torch.fft.rfft2(maps) * spectra.conj()).sum(2)
    return torch.fft.irfft2(total, s=maps.shape[-2:])


def _power(spectra: Tensor) -> Tensor:
    return torch.view_as_real(spectra).square().sum((0, -1))


def _conjugate_gradients(
    normal: Callable[[Tensor], Tensor],
    solve: Callable[[Tensor], Tensor],
    wanted: Tensor,
    iterations: int,
) -> Tensor:
    """Solve normal(x) = wanted, every channel of (b, c, h, w) for itself; `solve` nearly does."""
    x = solve(wanted)
    residual = wanted - normal(x)
    direction = z = solve(residual)
    size = _dot(residual, z)
    least = torch.finfo(x.dtype).eps ** 2 * _dot(wanted, x)
    for _ in range(iterations):
        going = size > least  # a channel that is solved, or that rounding has reached, stays
        if not going.any():
            break
        bent = normal(direction)
        step = torch.where(going, size / _dot(direction, bent), 0)
        x = x + step * direction
        residual = residual - step * bent
        z = solve(residual)
        before, size = size, _dot(residual, z)
        direction = z + torch.where(going, size / before, 0) * direction
    return x


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return (x * y).sum((2, 3), keepdim=True)


def _gabor(size: int) -> Tensor:
    """A Gaussian of sum one, then waves without mean under Gaussians, each of length one."""
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = place[:, None], place[None, :]
    low = torch.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2))
    waves = [low / low.sum()]
    for wavelength in _WAVELENGTHS:
        hull = torch.exp(-(x**2 + y**2) / (2 * (_WIDTH * wavelength) ** 2))
        for turn in range(_ORIENTATIONS):
            angle = math.pi * turn / _ORIENTATIONS
            phase = 2 * math.pi / wavelength * (x * math.cos(angle) + y * math.sin(angle))
            waves += [_unit(hull, phase.cos()), _unit(hull, phase.sin())]
    return torch.stack(waves)


def _unit(hull: Tensor, wave: Tensor) -> Tensor:
    wave = hull * (wave - (hull * wave).sum() / hull.sum())
    return wave / wave.norm()


def _random(size: int) -> Tensor:
    dice = torch.Generator().manual_seed(0)
    return torch.randn(_RANDOM, size, size, generator=dice, dtype=torch.float64) / size


def _dct(size: int) -> Tensor:
    waves = basis(size, torch.empty(0, dtype=torch.float64))
    return torch.einsum("vy,ux->vuyx", waves, waves).flatten(0, 1)


_BANKS: dict[str, Callable[[int], Tensor]] = {"gabor": _gabor, "random": _random, "dct": _dct}


def _read(path: str, who: str) -> Tensor:
    """Kernels (k, h, w) from a file of arrays."""
    readers: dict[str, Callable[[str], Any]] = {
        ".npy": lambda p: {"kernels": np.load(p, allow_pickle=False)},
        ".npz": lambda p: dict(np.load(p, allow_pickle=False)),
        ".safetensors": lambda p: {k: v.numpy() for k, v in load_file(p).items()},
    }
    suffix = Path(path).suffix.lower()
    if suffix not in readers:
        raise BadParameter(
            f"{who} needs bank to be {', '.join(_BANKS)}, or a .npy, .npz or .safetensors file of "
            f"kernels, got {path!r}."
        )
    try:
        arrays = readers[suffix](path)
    except (OSError, ValueError, SafetensorError) as error:
        raise BadParameter(f"{who} cannot read kernels from {path!r}: {error}") from error
    found = next(iter(arrays.values())) if len(arrays) == 1 else arrays.get("kernels")
    real = found is not None and found.dtype.kind in "fiu" and found.ndim == 3 and found.size
    if not real or not np.isfinite(found).all():
        raise BadParameter(
            f"{who} needs finite real kernels (k, h, w) in {path!r}, got "
            + ("no array named kernels." if found is None else f"{found.dtype} {found.shape}.")
        )
    return torch.from_numpy(np.asarray(found, dtype=np.float64))


def _digest(kernels: Tensor) -> str:
    numbers = kernels.detach().cpu().contiguous().numpy().tobytes()
    return hashlib.blake2b(numbers, digest_size=6).hexdigest()
