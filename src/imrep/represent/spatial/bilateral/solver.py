"""The fast bilateral solver: edge-aware smoothing of a noisy or sparse target.

It minimises λ/2 Σ Wᵢⱼ (xᵢ - xⱼ)² + Σ cᵢ (xᵢ - tᵢ)², where W is the bistochastic bilateral affinity
of a reference image, t the target and c its confidence: depth from stereo follows the edges of the
photograph, a few strokes of colour fill its regions. Pixels of similar position and colour share a
vertex, so that a system in millions of pixels becomes one in thousands of vertices.

References:
    J. T. Barron and B. Poole, "The fast bilateral solver", ECCV 2016.
    doi:10.1007/978-3-319-46487-9_38
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage, BadParameter
from imrep.ops.luma import YCBCR
from imrep.ops.solvers import conjugate_gradients

_STEPS = 25  # of conjugate gradients
_SINKHORN_STEPS = 10  # of the bistochastisation
_MIN_DIAGONAL = 1e-5  # of the preconditioner
_TOLERANCE = 1e-5  # of the residual, relative to the right-hand side
_BYTE_TOLERANCE = 1e-3  # levels this near to an integer are taken for one
_MAX_KEYS = 2**62
_SHIFT = np.array([0.0, 128.0, 128.0])  # of Y, Cb, Cr in files


@dataclass(frozen=True)
class Vertices:
    """Pixels of one image quantised by position, luma and chroma: the simplified bilateral grid.

    Only cells that hold a pixel are vertices, in ascending order of Cr, Cb, Y, y, x.
    """

    of: Tensor  # vertex of each pixel, (pixels,)
    neighbours: Tensor  # one cell down and up on each axis, (10, vertices); absent = len(self)
    size: tuple[int, int]

    def __len__(self) -> int:
        return self.neighbours.shape[1]

    def splat(self, values: Tensor) -> Tensor:
        """Sums over each vertex's pixels, (channel, height, width) to (channel, vertices)."""
        flat = values.flatten(1)
        index = self.of.expand(len(flat), -1)
        return flat.new_zeros(len(flat), len(self)).scatter_add(1, index, flat)

    def slice(self, sums: Tensor) -> Tensor:
        """The value of each pixel's vertex, (channel, height, width)."""
        return sums[:, self.of].unflatten(1, self.size)

    def blur(self, sums: Tensor) -> Tensor:
        """[1 2 1] along each axis, the five results added; absent neighbours count zero."""
        padded = torch.cat([sums, sums.new_zeros(len(sums), 1)], dim=1)
        total = len(self.neighbours) * sums
        for neighbour in self.neighbours:
            total = total + padded[:, neighbour]
        return total

    def filter(self, values: Tensor, confidence: Tensor) -> Tensor:
        """Bilateral average of (channel, height, width) weighted by (1, height, width).

        Zero where no neighbour has any confidence.
        """
        weights = self.slice(self.blur(self.splat(confidence)))
        sums = self.slice(self.blur(self.splat(values * confidence)))
        return torch.where(weights > 0, sums / torch.where(weights > 0, weights, 1), 0)


def vertices(
    image: Float[Tensor, "channel height width"],
    *,
    sigma_space: float = 8.0,
    sigma_luma: float = 4.0,
    sigma_chroma: float = 4.0,
) -> Vertices:
    """The vertices of one image, (1|3, height, width) in [0, 1].

    Args:
        image: The reference, whose edges are preserved.
        sigma_space: Side of a cell in pixels.
        sigma_luma: Height of a cell in levels of luma, of 255.
        sigma_chroma: Width of a cell in levels of Cb and of Cr.
    """
    height, width = image.shape[1:]
    luma, *chroma = _levels(image)
    y = torch.arange(height, device=image.device).view(-1, 1).expand(height, width)
    x = torch.arange(width, device=image.device).expand(height, width)
    axes = [_cells(plane, sigma_space) for plane in (x, y)]
    axes += [_cells(luma, sigma_luma), *(_cells(plane, sigma_chroma) for plane in chroma)]
    return _group(torch.stack([axis.flatten() for axis in axes]), (height, width))


def bilateral_solver(
    target: Float[Tensor, "batch channel height width"],
    image: Float[Tensor, "batch colour height width"],
    confidence: Float[Tensor, "batch 1 height width"] | None = None,
    *,
    smoothness: float = 128.0,
    sigma_space: float = 8.0,
    sigma_luma: float = 4.0,
    sigma_chroma: float = 4.0,
) -> Float[Tensor, "batch channel height width"]:
    """The target, smoothed within the edges of an image.

    At most 25 steps of conjugate gradients with Jacobi's preconditioner, as in the paper's code: an
    approximate solution. Differentiable in target and confidence; not in the image, which is
    quantised.

    Args:
        target: Any number of channels.
        image: The reference, whose edges are preserved; gray or RGB in [0, 1].
        confidence: Of the target, ≥ 0; default 1. Zero where the target is unknown.
        smoothness: λ, the weight of differences between neighbours.
        sigma_space: As in `vertices`.
        sigma_luma: As in `vertices`.
        sigma_chroma: As in `vertices`.

    Raises:
        BadImage: If shapes do not agree, values are not finite, the image is not in [0, 1], a
            confidence is negative, or an image has none at all.
        BadParameter: If a parameter is not positive and finite.
    """
    sigmas = {"sigma_space": sigma_space, "sigma_luma": sigma_luma, "sigma_chroma": sigma_chroma}
    for name, value in (*sigmas.items(), ("smoothness", smoothness)):
        if not 0 < value < math.inf:
            raise BadParameter(f"bilateral_solver needs {name} above 0, got {value}.")
    for what, x in (("a target", target), ("a confidence", confidence)):
        if x is not None or what == "a target":
            checks.tensor(x, "bilateral_solver", what)
    if confidence is None:
        confidence = torch.ones_like(target[:, :1])
    _check(target, image, confidence)
    solved = []
    for plane, reference, weight in zip(target, image, confidence, strict=True):
        grid = vertices(reference.detach(), **sigmas)
        solved.append(grid.slice(_solve(grid, plane, weight, smoothness)).to(target))
    return torch.stack(solved)


def _solve(grid: Vertices, target: Tensor, confidence: Tensor, smoothness: float) -> Tensor:
    """Solve (λ (D_m - D_n B D_n) + diag(S c)) x = S (c t) for the vertices, (channel, vertices).

    S is splat, B blur, D_n and D_m the factors of `_bistochastic`. float64: float32 loses two
    digits.
    """
    target, confidence = target.double(), confidence.double()
    scale, mass = _bistochastic(grid, target)
    weight = grid.splat(confidence)[0]
    rhs = grid.splat(target * confidence)

    def system(x: Tensor) -> Tensor:
        return smoothness * (mass * x - scale * grid.blur(scale * x)) + weight * x

    centre = len(grid.neighbours)  # diagonal of B: the weight 2 of each of the five axes
    diagonal = (smoothness * (mass - centre * scale.square()) + weight).clamp_min(_MIN_DIAGONAL)
    # Vertices with zero confidence start from the global mean.
    mean = rhs.sum(1, keepdim=True) / weight.sum()
    start = torch.where(weight > 0, rhs / torch.where(weight > 0, weight, 1), mean)
    limit = _TOLERANCE * rhs.detach().norm(dim=1, keepdim=True)
    solved, _ = conjugate_gradients(
        system,
        rhs,
        start,
        precondition=lambda x: x / diagonal,
        unsolved=lambda _, residual, __: residual.detach().norm(dim=1, keepdim=True) > limit,
        axes=(1,),
        iterations=_STEPS,
    )
    return solved


def _bistochastic(grid: Vertices, like: Tensor) -> tuple[Tensor, Tensor]:
    """Factors n and masses m, each (vertices,), with D_n B D_n 1 = m: Sinkhorn's iteration."""
    pixels = grid.splat(torch.ones_like(like[:1]))
    scale = torch.ones_like(pixels)
    for _ in range(_SINKHORN_STEPS):
        scale = (scale * pixels / grid.blur(scale)).sqrt()
    return scale[0], (scale * grid.blur(scale))[0]


def _levels(image: Tensor) -> Tensor:
    """Y, Cb and Cr of one image from 0 to 255, (3, height, width), float64.

    Quantisation must not depend on round-off: levels near integers are rounded, and the sums are
    NumPy's, in the order of the paper's code. Another order differs in the last bit, which moves
    some grays to another cell.
    """
    levels = image.detach().expand(3, -1, -1).flatten(1).T.cpu().double().numpy() * 255
    integers = np.round(levels)
    levels = np.where(np.abs(levels - integers) < _BYTE_TOLERANCE, integers, levels)
    ycbcr = torch.from_numpy((levels @ np.array(YCBCR).T + _SHIFT).T)
    return ycbcr.unflatten(1, image.shape[1:]).to(image.device)


def _cells(plane: Tensor, sigma: float) -> Tensor:
    return (plane.double() / sigma).long()


def _group(cells: Tensor, size: tuple[int, int]) -> Vertices:
    """Vertices of non-negative cell coordinates (axis, pixels)."""
    # One more cell than there are, so that a step beyond an axis is no other cell's key.
    extents = [int(axis.max()) + 2 for axis in cells]
    strides = [math.prod(extents[:i]) for i in range(len(extents))]
    if math.prod(extents) >= _MAX_KEYS:
        raise BadParameter(
            f"bilateral_solver needs cells to count with 63 bits, got {extents} of them. "
            "Use a greater sigma_space, sigma_luma or sigma_chroma."
        )
    keys = (cells * cells.new_tensor(strides).unsqueeze(1)).sum(0)
    present, of = torch.unique(keys, return_inverse=True)
    neighbours = []
    for stride in strides:
        for key in (present - stride, present + stride):
            index = torch.searchsorted(present, key).clamp_max(len(present) - 1)
            neighbours.append(torch.where(present[index] == key, index, len(present)))
    return Vertices(of, torch.stack(neighbours), size)


def _check(target: Tensor, image: Tensor, confidence: Tensor) -> None:
    caller = "bilateral_solver"
    checks.image(image, caller)
    for name, x, channels in (("a target", target, "channel"), ("a confidence", confidence, "1")):
        fits = x.ndim == 4 and len(x) == len(image) and x.shape[2:] == image.shape[2:]
        if not fits or (channels == "1" and x.shape[1] != 1) or not x.is_floating_point():
            raise BadImage(
                f"{caller} needs {name} ({len(image)}, {channels}, {image.shape[2]}, "
                f"{image.shape[3]}), got {x.dtype} of shape {tuple(x.shape)}. Resize it first."
            )
        if not bool(x.detach().isfinite().all()):
            raise BadImage(
                f"{caller} needs {name} that is finite, got NaN. Try torch.nan_to_num(x)."
            )
    lowest = float(confidence.detach().amin())
    if lowest < 0 or not bool((confidence.detach().amax((1, 2, 3)) > 0).all()):
        raise BadImage(
            f"{caller} needs a confidence ≥ 0 and above 0 somewhere in each image, got a least of "
            f"{lowest:.4g}. Set it where the target is known."
        )
