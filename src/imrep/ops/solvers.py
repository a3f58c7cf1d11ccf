"""Conjugate gradients: a symmetric positive system solved by products with its matrix alone.

References:
    M. R. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems",
    J. Res. Nat. Bur. Standards 49(6), 1952. doi:10.6028/jres.049.044
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Operator = Callable[[Tensor], Tensor]


def conjugate_gradients(
    system: Operator,
    wanted: Tensor,
    start: Tensor,
    *,
    precondition: Operator,
    unsolved: Callable[[Tensor, Tensor], Tensor],
    axes: Sequence[int],
    iterations: int,
) -> tuple[Tensor, Tensor]:
    """The x for which system(x) = wanted, of several systems at once.

    Differentiable by the steps taken, where `wanted` has a gradient.

    Args:
        system: Product with the matrix.
        wanted: Right-hand sides.
        start: First guess, of their shape.
        precondition: Nearly the inverse of `system`; symmetric, positive.
        unsolved: Which systems are not solved yet, from the residual and its squared norm under the
            preconditioner; a system that is solved stays as it is.
        axes: Along which a system's numbers lie; all others are systems for themselves.
        iterations: Steps at most.

    Returns:
        x, and the residual's squared norm under the preconditioner, 1 long along `axes`.
    """
    x, residual = start, wanted - system(start)
    direction = steep = precondition(residual)
    size = _dot(residual, steep, axes)
    going = unsolved(residual, size)
    for _ in range(iterations):
        if not bool(going.any()):
            break
        bent = system(direction)
        curve = _dot(direction, bent, axes)
        moving = going & (curve > 0) & size.isfinite()  # rounding stops what it has brought to zero
        if not bool(moving.any()):
            break
        step = torch.where(moving, size / torch.where(moving, curve, 1), 0)
        x, residual = x + step * direction, residual - step * bent
        steep = precondition(residual)
        before, size = size, torch.where(moving, _dot(residual, steep, axes), size)
        turn = torch.where(moving, size / torch.where(moving, before, 1), 0)
        direction = steep + turn * direction
        going = going & unsolved(residual, size)
    return x, size


def _dot(x: Tensor, y: Tensor, axes: Sequence[int]) -> Tensor:
    return (x * y).sum(tuple(axes), keepdim=True)
