"""Images without white noise, by the cosine transforms of overlapping blocks of 8×8 pixels.

A block stands at every (x, y) whose sum is a multiple of `stride`: every pixel is in as many blocks
and at as many of their places as on any lattice of so few: at a stride of 4 little is lost to all
blocks, less than on a square lattice as large.

The image is shrunk twice. Coefficients below 2.7 deviations of the noise become zero, and the image
of least squares with what is left is a first guess: blocks count the more the less noise they have
kept. Then each coefficient of the noisy image is multiplied by the share of it that the guess's
says is no noise (Wiener). A block's mean is never touched. Borders mirror the image.

References:
    G. Yu and G. Sapiro, "DCT image denoising: a simple and effective image denoising algorithm",
    Image Processing On Line 1, 2011. doi:10.5201/ipol.2011.ys-dct
    S. P. Ghael, A. M. Sayeed and R. G. Baraniuk, "Improved wavelet denoising via empirical Wiener
    filtering", Proc. SPIE 3169, 1997. doi:10.1117/12.292799
    N. Pierazzo, J.-M. Morel and G. Facciolo, "Multi-scale DCT denoising", Image Processing On
    Line 7, 2017. doi:10.5201/ipol.2017.201
"""

import ctypes

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.filter.borders import mirrored
from imrep.ops.fourier.dct import basis
from imrep.ops.native import kernels_for
from imrep.ops.pyramid import laplacian
from imrep.ops.tiling import each

SIDE = 8  # of a block

_LARGE = 2.7  # standard deviations of noise below which a coefficient is taken for it
_TINY = 1e-30  # keeps 0 / 0 at 0
_NORMAL = 0.6745  # median of the absolute values of a normal distribution of deviation one
_HALVED = 70 / 256  # deviation of noise of one in the half: root of the kernel's sum of squares
_SAMPLES = 64  # blocks per axis, at least, that noise is measured in
_ROWS = 256  # made by one thread at a time; the blocks above reach into it, and are done twice
_AT_ONCE = 2**17  # pixels whose blocks torch holds together
_AT_ONCE_DEVICE = 2**22


def shrunk(plane: Tensor, level: float, stride: int) -> Tensor:
    """A plane (h, w), neither side below 8, without noise of standard deviation `level`."""
    guess = _once(plane, None, level, stride)
    return _once(plane, guess, level, stride)


def calmed(plane: Tensor, level: float, stride: int, halvings: int = 2) -> Tensor:
    """A plane (h, w) whose noise coarser than a block, seen in its half and quarter, is taken out.

    What shrinking takes from the half (which may be calmed itself) is taken from the plane: for
    colours, where blotches are seen and little that is fine is lost; of gray it would cost detail.
    """
    if halvings == 0 or (min(plane.shape) + 1) // 2 < SIDE:
        return plane
    half = laplacian.reduce(plane)
    clean = shrunk(calmed(half, level * _HALVED, stride, halvings - 1), level * _HALVED, stride)
    return plane + laplacian.expand(clean - half, (plane.shape[0], plane.shape[1]))


def deviations(image: Tensor, axes: Tensor) -> Tensor:
    """Standard deviation of the noise on each axis (p, c) of an image's (c, h, w) colours, (p,).

    By the median of the finest diagonal waves, which hardly hears the few edges that reach so high.

    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994. doi:10.1093/biomet/81.3.425
    """
    step = max(1, min(SIDE, min(image.shape[1:]) // _SAMPLES))
    found = _finest(_finest(image, 1, step), 2, step).flatten(1)
    return (axes @ found).abs().median(1).values / _NORMAL


def _finest(x: Tensor, axis: int, step: int) -> Tensor:
    """How strong the finest wave of a block is, for blocks `step` apart along an axis."""
    blocks = x.unfold(axis, SIDE, step)
    found = torch.zeros_like(blocks[..., 0])
    for weight, some in zip(basis(SIDE, x)[-1].tolist(), blocks.unbind(-1), strict=True):
        found = found.add(some, alpha=weight)
    return found


def _once(noisy: Tensor, guess: Tensor | None, level: float, stride: int) -> Tensor:
    """What is large, or what a guess makes likely."""
    both = (noisy,) if guess is None else (noisy, guess)
    native = kernels_for(both, (torch.float32,))
    return _in_torch(both, level, stride) if native is None else _in_c(native, both, level, stride)


def _in_c(native: ctypes.CDLL, both: tuple[Tensor, ...], level: float, stride: int) -> Tensor:
    both = tuple(plane.contiguous() for plane in both)  # held until all rows are made
    made = torch.empty_like(both[0])
    height, width = made.shape
    noisy, guess = both[0].data_ptr(), both[1].data_ptr() if len(both) > 1 else None
    kernel = native.imrep_shrink_f32

    def rows(top: int) -> None:
        planes = map(ctypes.c_void_p, (noisy, guess, made.data_ptr()))
        sizes = map(ctypes.c_int64, (height, width, stride))
        part = map(ctypes.c_int64, (top, min(top + _ROWS, height)))
        kernel(*planes, *sizes, ctypes.c_double(level), *part)

    each(rows, range(0, height, _ROWS), *both)
    return made


def _in_torch(both: tuple[Tensor, ...], level: float, stride: int) -> Tensor:
    """The twin, where there is no compiler, on other devices, and for gradients."""
    height, width = both[0].shape
    numbers = _AT_ONCE if both[0].device.type == "cpu" else _AT_ONCE_DEVICE
    rows, done, edge = max(numbers // width, SIDE), [], SIDE - 1
    for top in range(0, height, rows):
        end = min(top + rows, height)
        tall = (mirrored(plane, top - edge, end + edge, 0) for plane in both)
        wide = torch.stack([mirrored(some, -edge, width + edge, 1) for some in tall])
        done.append(_strip(wide, level, stride, 2 * edge - top)[edge:-edge, edge:-edge])
    return torch.cat(done)


def _strip(both: Tensor, level: float, stride: int, origin: int) -> Tensor:
    """Blocks of (1|2, h, w) at each x + y ≡ origin: a square lattice for each y mod stride."""
    line = basis(SIDE, both)
    waves = torch.einsum("ui,vj->uvij", line, line).reshape(SIDE**2, SIDE**2)
    total = torch.zeros_like(both[0]).repeat(2, 1, 1)  # pixels times weights, and weights
    for down in range(stride):
        right = (origin - down) % stride
        some = both[:, down:, right:]
        if min(some.shape[1:]) < SIDE:
            continue
        some = some.unfold(1, SIDE, stride).unfold(2, SIDE, stride)
        size = tuple((n - 1) * stride + SIDE for n in some.shape[1:3])
        pixels = some.permute(0, 3, 4, 1, 2).reshape(len(both), SIDE**2, -1)
        maps, weight = _kept(waves @ pixels, level)
        back = torch.stack([waves.mT @ (maps * weight), weight.expand_as(maps)])
        sums = F.fold(back, size, SIDE, stride=stride)[:, 0]
        total[:, down : down + size[0], right : right + size[1]] += sums
    return total[0] / total[1].clamp_min(_TINY)  # corners may be in no block; they are cut off


def _kept(maps: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """Coefficients (1|2, 64, blocks) shrunk, and one over the noise that is left in each block."""
    if len(maps) == 1:
        share = (maps[0].abs() > _LARGE * level).to(maps)
    else:
        signal = maps[1].square()
        share = signal / (signal + (level**2 + _TINY))
    share = torch.cat([torch.ones_like(share[:1]), share[1:]])
    return maps[0] * share, 1 / share.square().sum(0, keepdim=True)
