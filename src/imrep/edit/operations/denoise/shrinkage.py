"""Denoising of one plane by shrinking the DCT coefficients of overlapping 8 × 8 blocks.

Blocks stand at every (x, y) whose sum is a multiple of `stride`. On this lattice every pixel is in
equally many blocks, at as many different positions within them as a lattice of that density allows.

The image is shrunk twice. First, coefficients below 2.7 standard deviations of the noise are set to
zero; the weighted mean of the blocks is the pilot estimate, in which blocks count the more the less
noise they retain. Then each coefficient of the noisy image is multiplied by s² / (s² + σ²), with s
the pilot's coefficient (empirical Wiener filter). The DC coefficient is never changed. Borders
mirror the image.

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
from imrep.ops.tiling import cut, each

BLOCK = 8  # pixels per side

_THRESHOLD = 2.7  # standard deviations of noise
_EPSILON = 1e-30  # keeps 0 / 0 at 0
_MEDIAN_OF_NORMAL = 0.6745  # median of |x| for x of standard deviation one
_REDUCED = 70 / 256  # standard deviation of unit noise after halving: norm of the kernel
_SAMPLES = 64  # minimum number of blocks per axis for measuring noise
_ROWS = 256  # rows of a thread's task; blocks that reach into two tasks are computed twice
_PIXELS_CPU, _PIXELS_GPU = 2**17, 2**22  # pixels whose blocks torch holds together


def denoise_plane(plane: Tensor, level: float, stride: int) -> Tensor:
    """A plane (h, w) of sides from 8, denoised of noise of standard deviation `level`."""
    pilot = _shrink(plane, None, level, stride)
    return _shrink(plane, pilot, level, stride)


def remove_coarse_noise(plane: Tensor, level: float, stride: int, halvings: int = 2) -> Tensor:
    """A plane (h, w) without noise coarser than a block, which is removed at half and quarter size.

    The noise removed from the half-size plane is subtracted from the plane. This suits colour
    differences, where blotches are visible and there is little detail; gray would lose detail.
    """
    if halvings == 0 or (min(plane.shape) + 1) // 2 < BLOCK:
        return plane
    half = laplacian.reduce(plane)
    coarse = remove_coarse_noise(half, level * _REDUCED, stride, halvings - 1)
    clean = denoise_plane(coarse, level * _REDUCED, stride)
    return plane + laplacian.expand(clean - half, (plane.shape[0], plane.shape[1]))


def deviations(image: Tensor, axes: Tensor) -> Tensor:
    """Standard deviation of the noise on each axis (p, c) of an image's (c, h, w) colours, (p,).

    From the median absolute value of the highest diagonal frequency, which is robust to the few
    edges that have energy there.

    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81(3), 1994. doi:10.1093/biomet/81.3.425
    """
    step = max(1, min(BLOCK, min(image.shape[1:]) // _SAMPLES))
    coefficients = _highest_frequency(_highest_frequency(image, 1, step), 2, step).flatten(1)
    return (axes @ coefficients).abs().median(1).values / _MEDIAN_OF_NORMAL


def _highest_frequency(x: Tensor, axis: int, step: int) -> Tensor:
    """The last DCT coefficient along an axis of blocks at every `step` samples."""
    blocks = x.unfold(axis, BLOCK, step)
    total = torch.zeros_like(blocks[..., 0])
    for weight, samples in zip(basis(BLOCK, x)[-1].tolist(), blocks.unbind(-1), strict=True):
        total = total.add(samples, alpha=weight)
    return total


def _shrink(noisy: Tensor, pilot: Tensor | None, level: float, stride: int) -> Tensor:
    """One round: thresholding, or the Wiener filter where there is a pilot estimate."""
    planes = (noisy,) if pilot is None else (noisy, pilot)
    native = kernels_for(planes, (torch.float32,))
    if native is None:
        return _shrink_reference(planes, level, stride)
    return _shrink_native(native, planes, level, stride)


def _shrink_native(
    native: ctypes.CDLL, planes: tuple[Tensor, ...], level: float, stride: int
) -> Tensor:
    planes = tuple(plane.contiguous() for plane in planes)  # alive until all rows are computed
    result = torch.empty_like(planes[0])
    height, width = result.shape
    noisy, pilot = planes[0].data_ptr(), planes[1].data_ptr() if len(planes) > 1 else None
    kernel = native.imrep_shrink_f32

    def shrink_rows(strip: slice) -> None:
        pointers = map(ctypes.c_void_p, (noisy, pilot, result.data_ptr()))
        sizes = map(ctypes.c_int64, (height, width, stride))
        rows = map(ctypes.c_int64, (strip.start, strip.stop))
        kernel(*pointers, *sizes, ctypes.c_double(level), *rows)

    each(shrink_rows, cut(height, _ROWS), *planes)
    return result


def _shrink_reference(planes: tuple[Tensor, ...], level: float, stride: int) -> Tensor:
    """The plain reference, for other devices, for gradients and without a compiler."""
    height, width = planes[0].shape
    pixels = _PIXELS_CPU if planes[0].device.type == "cpu" else _PIXELS_GPU
    strips, margin = [], BLOCK - 1
    for rows in cut(height, max(pixels // width, BLOCK)):
        tall = [mirrored(plane, rows.start - margin, rows.stop + margin, 0) for plane in planes]
        wide = torch.stack([mirrored(plane, -margin, width + margin, 1) for plane in tall])
        strip = _shrink_strip(wide, level, stride, 2 * margin - rows.start)
        strips.append(strip[margin:-margin, margin:-margin])
    return torch.cat(strips)


def _shrink_strip(planes: Tensor, level: float, stride: int, origin: int) -> Tensor:
    """The weighted mean of the shrunk blocks of (1|2, h, w) at each x + y ≡ origin.

    For each y modulo the stride these blocks are a square lattice, which `unfold` can extract.
    """
    line = basis(BLOCK, planes)
    transform = torch.einsum("ui,vj->uvij", line, line).reshape(BLOCK**2, BLOCK**2)
    totals = torch.zeros_like(planes[0]).repeat(2, 1, 1)  # pixels times weights, and weights
    for y in range(stride):
        x = (origin - y) % stride
        lattice = planes[:, y:, x:]
        if min(lattice.shape[1:]) < BLOCK:
            continue
        blocks = lattice.unfold(1, BLOCK, stride).unfold(2, BLOCK, stride)
        size = tuple((n - 1) * stride + BLOCK for n in blocks.shape[1:3])
        pixels = blocks.permute(0, 3, 4, 1, 2).reshape(len(planes), BLOCK**2, -1)
        coefficients, weight = _shrunk(transform @ pixels, level)
        back = torch.stack([transform.mT @ (coefficients * weight), weight.expand_as(coefficients)])
        sums = F.fold(back, size, BLOCK, stride=stride)[:, 0]
        totals[:, y : y + size[0], x : x + size[1]] += sums
    return totals[0] / totals[1].clamp_min(_EPSILON)  # corners in no block are cropped later


def _shrunk(coefficients: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """Shrunk coefficients of (1|2, 64, blocks), and each block's weight: 1 / remaining noise."""
    if len(coefficients) == 1:
        share = (coefficients[0].abs() > _THRESHOLD * level).to(coefficients)
    else:
        signal = coefficients[1].square()
        share = signal / (signal + (level**2 + _EPSILON))
    share = torch.cat([torch.ones_like(share[:1]), share[1:]])  # DC is kept
    return coefficients[0] * share, 1 / share.square().sum(0, keepdim=True)
