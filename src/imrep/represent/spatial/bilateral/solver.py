"""The fast bilateral solver: the image that is smooth where another one is, and near to a target.

It minimises λ/2 Σ Wᵢⱼ (xᵢ - xⱼ)² + Σ cᵢ (xᵢ - tᵢ)², where W is bilateral affinity, made to sum to
one, t a noisy or sparse target and c how far to trust it: depth from stereo follows the edges of
the photograph, a few strokes of colour fill its regions. Pixels of like place and colour share a
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
from imrep.ops.solvers import conjugate_gradients

_STEPS = 25  # of conjugate gradients
_ROUNDS = 10  # of making the affinity sum to one
_LEAST = 1e-5  # of the preconditioner's diagonal
_TOLERANCE = 1e-5  # of the residual, relative to the right-hand side
_BYTE = 1e-3  # images that came from bytes are bytes again up to this
_KEYS = 2**62
# JFIF, as in files: Cb and Cr are centred on 128.
_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_SHIFT = np.array([0.0, 128.0, 128.0])


@dataclass(frozen=True)
class Vertices:
    """Pixels of one image grouped by place, luma and chroma, each coordinate cut to whole cells.

    Only groups that hold a pixel exist. They are in ascending order of Cr, Cb, Y, y, x.
    """

    of: Tensor  # (pixels,) each pixel's vertex
    neighbours: Tensor  # (10, vertices) one cell down and up on each axis; absent ones = vertices
    size: tuple[int, int]

    def __len__(self) -> int:
        return self.neighbours.shape[1]

    def splat(self, values: Tensor) -> Tensor:
        """Sums over each vertex's pixels, (channel, height, width) to (channel, vertices)."""
        flat = values.flatten(1)
        where = self.of.expand(len(flat), -1)
        return flat.new_zeros(len(flat), len(self)).scatter_add(1, where, flat)

    def slice(self, sums: Tensor) -> Tensor:
        """Each pixel's vertex read, (channel, height, width)."""
        return sums[:, self.of].unflatten(1, self.size)

    def blur(self, sums: Tensor) -> Tensor:
        """[1 2 1] along each axis, the five results added; what is not there counts zero."""
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
        image: Its edges are kept.
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
    """The target made smooth within the edges of an image.

    At most 25 steps of conjugate gradients with Jacobi's preconditioner, as the paper's authors
    take them: near the solution, not at it. Differentiable in target and confidence, not in the
    image, whose pixels belong to a vertex or do not.

    Args:
        target: What is to be smoothed, any number of channels.
        image: Whose edges are kept; gray or RGB in [0, 1].
        confidence: Trust in the target, ≥ 0; default 1. Zero where nothing is known.
        smoothness: λ, what a difference between neighbours costs.
        sigma_space: As in `vertices`.
        sigma_luma: As in `vertices`.
        sigma_chroma: As in `vertices`.

    Raises:
        BadImage: If shapes do not agree, values are not finite, the image is not in [0, 1], a
            confidence is negative, or an image has none at all.
        BadParameter: If a parameter is not positive and finite.
    """
    sigmas = {"sigma_space": sigma_space, "sigma_luma": sigma_luma, "sigma_chroma": sigma_chroma}
    for what, value in (*sigmas.items(), ("smoothness", smoothness)):
        if not 0 < value < math.inf:
            raise BadParameter(f"bilateral_solver needs {what} above 0, got {value}.")
    for what, x in (("a target", target), ("a confidence", confidence)):
        if x is not None or what == "a target":
            checks.tensor(x, "bilateral_solver", what)
    if confidence is None:
        confidence = torch.ones_like(target[:, :1])
    _check(target, image, confidence)
    solved = []
    for one, edges, trust in zip(target, image, confidence, strict=True):
        groups = vertices(edges.detach(), **sigmas)
        solved.append(groups.slice(_solve(groups, one, trust, smoothness)).to(target))
    return torch.stack(solved)


def _solve(groups: Vertices, target: Tensor, confidence: Tensor, smoothness: float) -> Tensor:
    """Values of the vertices, (channel, vertices), float64: single precision loses two digits."""
    target, confidence = target.double(), confidence.double()
    scale, mass = _sum_to_one(groups, target)
    trust = groups.splat(confidence)[0]
    wanted = groups.splat(target * confidence)

    def system(x: Tensor) -> Tensor:
        blurred = groups.blur(scale * x)
        return smoothness * (mass * x - scale * blurred) + trust * x

    own = len(groups.neighbours)  # times itself that the blur gives a vertex
    diagonal = (smoothness * (mass - own * scale.square()) + trust).clamp_min(_LEAST)
    # A vertex without confidence has no mean to start from; it starts from the global mean.
    everybody = wanted.sum(1, keepdim=True) / trust.sum()
    start = torch.where(trust > 0, wanted / torch.where(trust > 0, trust, 1), everybody)
    enough = _TOLERANCE * wanted.detach().norm(dim=1, keepdim=True)
    solved, _ = conjugate_gradients(
        system,
        wanted,
        start,
        precondition=lambda x: x / diagonal,
        unsolved=lambda residual, _: residual.detach().norm(dim=1, keepdim=True) > enough,
        axes=(1,),
        iterations=_STEPS,
    )
    return solved


def _sum_to_one(groups: Vertices, like: Tensor) -> tuple[Tensor, Tensor]:
    """Factors n and masses m of the vertices for which n B n sums to m, each (vertices,)."""
    pixels = groups.splat(torch.ones_like(like[:1]))
    scale = torch.ones_like(pixels)
    for _ in range(_ROUNDS):
        scale = (scale * pixels / groups.blur(scale)).sqrt()
    return scale[0], (scale * groups.blur(scale))[0]


def _levels(image: Tensor) -> Tensor:
    """Y, Cb and Cr of one image from 0 to 255, (3, height, width), float64.

    What is cut to whole cells must not hang on rounding: levels near whole ones are whole, and the
    sums are NumPy's, then shifted, as the paper's authors have them; other sums differ in a last
    bit, which moves some grays to another cell.
    """
    levels = image.detach().expand(3, -1, -1).flatten(1).T.cpu().double().numpy() * 255
    whole = np.round(levels)
    levels = np.where(np.abs(levels - whole) < _BYTE, whole, levels)
    turned = torch.from_numpy((levels @ _YCBCR.T + _SHIFT).T)
    return turned.unflatten(1, image.shape[1:]).to(image.device)


def _cells(plane: Tensor, sigma: float) -> Tensor:
    return (plane.double() / sigma).long()


def _group(cells: Tensor, size: tuple[int, int]) -> Vertices:
    """Vertices of (axis, pixels) coordinates, none negative."""
    # One more than there are, so that a step beyond an axis meets nobody.
    extents = [int(axis.max()) + 2 for axis in cells]
    strides = [math.prod(extents[:i]) for i in range(len(extents))]
    if math.prod(extents) >= _KEYS:
        raise BadParameter(
            f"bilateral_solver needs cells to count with 63 bits, got {extents} of them. "
            "Use a greater sigma_space, sigma_luma or sigma_chroma."
        )
    keys = (cells * cells.new_tensor(strides).unsqueeze(1)).sum(0)
    present, of = torch.unique(keys, return_inverse=True)
    neighbours = []
    for stride in strides:
        for wanted in (present - stride, present + stride):
            at = torch.searchsorted(present, wanted).clamp_max(len(present) - 1)
            neighbours.append(torch.where(present[at] == wanted, at, len(present)))
    return Vertices(of, torch.stack(neighbours), size)


def _check(target: Tensor, image: Tensor, confidence: Tensor) -> None:
    who = "bilateral_solver"
    checks.image(image, who)
    for what, x, channels in (("a target", target, "channel"), ("a confidence", confidence, "1")):
        fits = x.ndim == 4 and len(x) == len(image) and x.shape[2:] == image.shape[2:]
        if not fits or (channels == "1" and x.shape[1] != 1) or not x.is_floating_point():
            raise BadImage(
                f"{who} needs {what} ({len(image)}, {channels}, {image.shape[2]}, "
                f"{image.shape[3]}), got {x.dtype} of shape {tuple(x.shape)}. Resize it first."
            )
        if not bool(x.detach().isfinite().all()):
            raise BadImage(f"{who} needs {what} that is finite, got NaN. Try torch.nan_to_num(x).")
    least = float(confidence.detach().amin())
    if least < 0 or not bool((confidence.detach().amax((1, 2, 3)) > 0).all()):
        raise BadImage(
            f"{who} needs a confidence ≥ 0 and above 0 somewhere in each image, got a least of "
            f"{least:.4g}. Say where the target is known."
        )
