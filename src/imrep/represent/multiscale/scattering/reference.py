"""The scattering transform as the paper writes it: what `transform` computes faster."""

import numpy as np
import torch
from torch import Tensor

from imrep.represent.multiscale.scattering.wavelets import crop, gaussian, morlet


def scattering(x: Tensor, scales: int, orientations: int, order: int = 2) -> Tensor:
    """Coefficients (paths, m, n) of one plane (rows, columns), float64.

    Paths are sorted as `transform.paths` lists them.
    """
    step = 2**scales
    x = _reflected(x.double(), step)
    low = torch.outer(*(gaussian(n, scales) for n in x.shape))
    waves = [morlet(x.shape, j, orientations) for j in range(scales)]

    def modulus(u: Tensor, wave: Tensor, level: int, scale: int) -> Tensor:
        """Modulus |u ∗ ψ| at every 2^scale-th pixel, for u at every 2^level-th."""
        spectrum = torch.fft.fft2(u) * crop(wave, 2**level)
        return torch.fft.ifft2(spectrum).abs()[:: 2 ** (scale - level), :: 2 ** (scale - level)]

    def average(u: Tensor, level: int) -> Tensor:
        """Average u ∗ φ at every 2^J-th pixel, without the border."""
        smooth = torch.fft.ifft2(torch.fft.fft2(u) * crop(low, 2**level)).real
        return smooth[:: step // 2**level, :: step // 2**level][1:-1, 1:-1]

    singles, doubles = [], []
    for j1, bank in enumerate(waves):
        for wave in bank:
            u1 = modulus(x, wave, 0, j1)
            singles.append(average(u1, j1))
            for j2 in range(j1 + 1, scales) if order == 2 else ():
                doubles += [average(modulus(u1, second, j1, j2), j2) for second in waves[j2]]
    return torch.stack([average(x, 0), *singles, *doubles])


def _reflected(x: Tensor, step: int) -> Tensor:
    """The plane with about one step of its mirror image on every side."""
    sizes = [(n // step + 2) * step for n in x.shape]
    before = [(wide - n) // 2 for wide, n in zip(sizes, x.shape, strict=True)]
    after = [wide - n - b for wide, n, b in zip(sizes, x.shape, before, strict=True)]
    padded = np.pad(x.numpy(), list(zip(before, after, strict=True)), mode="reflect")
    return torch.from_numpy(padded)
