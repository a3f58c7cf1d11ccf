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
    rhs: Tensor,
    start: Tensor,
    *,
    precondition: Operator,
    unsolved: Callable[[Tensor, Tensor], Tensor],
    axes: Sequence[int],
    iterations: int,
) -> tuple[Tensor, Tensor]:
    """Solve system(x) = rhs for a batch of symmetric positive definite systems.

    Differentiable through the steps, where `rhs` requires a gradient.

    Args:
        system: Product with the matrix.
        rhs: Right-hand sides.
        start: Initial x, of their shape.
        precondition: Approximate inverse of `system`; symmetric, positive definite.
        unsolved: Mask of systems that have not converged, from the residual and its squared norm
            under the preconditioner; a converged system is not changed.
        axes: Along which one system's numbers lie; the other axes enumerate systems.
        iterations: Limit of the steps.

    Returns:
        x, and the residual's squared norm under the preconditioner, 1 long along `axes`.
    """
    x, residual = start, rhs - system(start)
    direction = z = precondition(residual)  # z, as in the paper's preconditioned form
    size = _dot(residual, z, axes)
    active = unsolved(residual, size)
    for _ in range(iterations):
        if not bool(active.any()):
            break
        product = system(direction)
        curvature = _dot(direction, product, axes)
        # Curvature reaches zero by round-off when a system has converged to the last bit.
        moving = active & (curvature > 0) & size.isfinite()
        if not bool(moving.any()):
            break
        alpha = torch.where(moving, size / torch.where(moving, curvature, 1), 0)
        x, residual = x + alpha * direction, residual - alpha * product
        z = precondition(residual)
        previous, size = size, torch.where(moving, _dot(residual, z, axes), size)
        beta = torch.where(moving, size / torch.where(moving, previous, 1), 0)
        direction = z + beta * direction
        active = active & unsolved(residual, size)
    return x, size


def _dot(x: Tensor, y: Tensor, axes: Sequence[int]) -> Tensor:
    return (x * y).sum(tuple(axes), keepdim=True)
