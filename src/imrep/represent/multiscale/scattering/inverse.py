"""Planes from their scattering coefficients, by gradient descent.

The modulus discards the phase, so there is no closed form. The coefficients are a smooth function
of the plane, and L-BFGS minimises their distance to the target. It starts from order 0, enlarged,
which holds the low frequencies. The problem is not convex: the result depends on the start.
"""

import torch
from torch import Tensor

from imrep.ops.solvers import lbfgs
from imrep.represent.multiscale.scattering.transform import Plan, scatter

_HISTORY = 20  # pairs of steps and gradients in the L-BFGS memory
_LOSS_SCALE = 1e3  # the loss is below one, and the line search would stop too early
_EPSILON = 1e-12  # replaces the norm of an order that is all zero
_COARSE_SHARE = 1 / 3  # of the iterations, for orders 0 and 1 of a coarse-to-fine search
_KEYS_A = -0.5  # of Keys' cubic: reproduces parabolas


def unscatter(target: Tensor, plan: Plan, iterations: int, careful: bool = False) -> Tensor:
    """Planes (count, rows, columns) whose coefficients approximate `target`.

    Args:
        target: Coefficients (count, paths, m, n), as `scatter` gives them.
        plan: The one they were computed with.
        iterations: Of L-BFGS; 0 gives the start, the enlarged averages.
        careful: Search a second time, coarse orders first, and return the better result.
    """
    start = enlarged(target[:, 0], plan)
    if not iterations:
        return start
    candidates = [_descend(start, target, plan, iterations, plan.order)]
    if careful and plan.order > 1:
        coarse = round(_COARSE_SHARE * iterations)
        rough = _descend(start, target, plan, coarse, 1)
        candidates.append(_descend(rough, target, plan, iterations - coarse, plan.order))
    with torch.no_grad():
        return min(candidates, key=lambda x: float(distance(scatter(x, plan), target, plan)))


def distance(code: Tensor, target: Tensor, plan: Plan, order: int = 2) -> Tensor:
    """Sum over orders of ‖code - target‖² / (‖target of that order‖ · ‖target‖).

    Unweighted, order 0 dominates: it is ten times as large as the others. Divided by its own
    squared norm each, the small second order dominates early. This weighting lies between the two.
    """
    norm = target.norm().clamp_min(_EPSILON)
    total = code.new_zeros(())
    for part in _orders(plan)[: order + 1]:
        own = target[:, part].norm().clamp_min(_EPSILON)
        total = total + (code[:, part] - target[:, part]).square().sum() / (own * norm)
    return total


def enlarged(averages: Tensor, plan: Plan) -> Tensor:
    """Averages (count, m, n) interpolated to (count, rows, columns) by Keys' cubic.

    Average i belongs to pixel (i + 1) 2^J - padding, the corner of its cell and not the centre.
    Beyond the outermost samples, the nearest one is repeated.
    """
    rows, columns = (
        _cubic(n, samples, before, 2**plan.scales).to(averages)
        for n, samples, before in zip(plan.size, plan.shape, plan.before, strict=True)
    )
    return rows @ averages @ columns.mT


def _orders(plan: Plan) -> tuple[slice, ...]:
    """The slice of paths of each order."""
    first = 1 + plan.scales * plan.orientations
    return tuple(slice(*ends) for ends in ((0, 1), (1, first), (first, plan.paths)))


def _descend(start: Tensor, target: Tensor, plan: Plan, iterations: int, order: int) -> Tensor:
    def loss(planes: Tensor) -> Tensor:
        return _LOSS_SCALE * distance(scatter(planes, plan), target, plan, order)

    return lbfgs(loss, start, iterations=iterations, history=_HISTORY).point


def _cubic(n: int, samples: int, before: int, step: int) -> Tensor:
    """Interpolation weights of samples for each pixel, float64, (n, samples)."""
    position = (torch.arange(n, dtype=torch.float64) + before) / step - 1
    base = position.floor()
    weights = torch.zeros(n, samples, dtype=torch.float64)
    for tap in range(-1, 3):
        index = (base + tap).clamp(0, samples - 1).long()
        weight = _keys((position - base - tap).abs())
        weights.scatter_add_(1, index[:, None], weight[:, None])
    return weights


def _keys(x: Tensor) -> Tensor:
    inner = ((_KEYS_A + 2) * x - (_KEYS_A + 3)) * x * x + 1
    outer = (((x - 5) * x + 8) * x - 4) * _KEYS_A
    return torch.where(x <= 1, inner, torch.where(x < 2, outer, 0))
