"""Planes from their scattering coefficients alone.

The moduli have lost the phases, so there is no formula; but the coefficients are a smooth function
of the planes, and going downhill on the distance to those wanted finds planes that have them. The
start is the local average, which is right about everything coarse. The problem is not convex:
what is found depends on the start, and is one of several that would do.
"""

import math

import torch
from torch import Tensor

from imrep.represent.multiscale.scattering.transform import Plan, scatter

_MEMORY = 20  # pairs of steps and gradients that L-BFGS remembers
_SCALE = 1e3  # of the loss, which is below one and would stop the line search too soon
_LEAST = 1e-12  # an order's norm where it is all zero
_FIRST = 1 / 3  # share of the steps that a careful search spends on the coarse orders
_CURVE = -0.5  # of the cubic: exact for parabolas


def unscatter(wanted: Tensor, plan: Plan, iterations: int, careful: bool = False) -> Tensor:
    """Planes (count, rows, columns) of one image whose coefficients are near those `wanted`.

    Args:
        wanted: Coefficients (count, paths, m, n), as `scatter` gives them.
        plan: That they were made with.
        iterations: Steps of L-BFGS; 0 gives the start, the enlarged averages.
        careful: Whether to search twice, the second time on the coarse orders before all of them,
            and keep the better.
    """
    start = enlarged(wanted[:, 0], plan)
    if not iterations:
        return start
    found = [_descend(start, wanted, plan, iterations, plan.order)]
    if careful and plan.order > 1:
        coarse = round(_FIRST * iterations)
        near = _descend(start, wanted, plan, coarse, 1)
        found.append(_descend(near, wanted, plan, iterations - coarse, plan.order))
    with torch.no_grad():
        return min(found, key=lambda planes: float(distance(scatter(planes, plan), wanted, plan)))


def distance(found: Tensor, wanted: Tensor, plan: Plan, order: int = 2) -> Tensor:
    """Squared distance, each order's over the norm of that order and over the whole norm.

    Unweighted, the averages, ten times as large as all else, are met first and hide the rest; each
    over its own squared norm, the faint second order leads astray early. This is between the two.
    """
    whole = wanted.norm().clamp_min(_LEAST)
    total = found.new_zeros(())
    for part in _orders(plan)[: order + 1]:
        size = wanted[:, part].norm().clamp_min(_LEAST)
        total = total + (found[:, part] - wanted[:, part]).square().sum() / (size * whole)
    return total


def enlarged(averages: Tensor, plan: Plan) -> Tensor:
    """Averages (count, m, n) brought to the planes' size by Keys' cubic, (count, rows, columns).

    Average i belongs to pixel (i + 1) 2^J less the padding, the corner of its cell and not the
    middle; beyond the last ones they go on as they end.
    """
    rows, columns = (
        _cubic(n, samples, before, 2**plan.scales).to(averages)
        for n, samples, before in zip(plan.size, plan.shape, plan.before, strict=True)
    )
    return rows @ averages @ columns.mT


def _orders(plan: Plan) -> tuple[slice, ...]:
    """Where each order's paths are."""
    first = 1 + plan.scales * plan.orientations
    return tuple(slice(*ends) for ends in ((0, 1), (1, first), (first, plan.paths)))


def _descend(start: Tensor, wanted: Tensor, plan: Plan, iterations: int, order: int) -> Tensor:
    planes = start.detach().clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [planes],
        max_iter=iterations,
        max_eval=10 * iterations,
        history_size=_MEMORY,
        line_search_fn="strong_wolfe",
        tolerance_grad=0.0,
        tolerance_change=0.0,
    )
    best, least = start, math.inf

    def look() -> Tensor:
        nonlocal best, least
        loss = _SCALE * distance(scatter(planes, plan), wanted, plan, order)
        (planes.grad,) = torch.autograd.grad(loss, planes)
        if (height := float(loss.detach())) < least:
            best, least = planes.detach().clone(), height
        return loss.detach()

    with torch.enable_grad():
        optimiser.step(look)
    return best


def _cubic(n: int, samples: int, before: int, step: int) -> Tensor:
    """Weights of samples in pixels, float64, (n, samples)."""
    place = (torch.arange(n, dtype=torch.float64) + before) / step - 1
    near = place.floor()
    weights = torch.zeros(n, samples, dtype=torch.float64)
    for tap in range(-1, 3):
        which = (near + tap).clamp(0, samples - 1).long()
        weight = _keys((place - near - tap).abs())
        weights.scatter_add_(1, which[:, None], weight[:, None])
    return weights


def _keys(x: Tensor) -> Tensor:
    inner = ((_CURVE + 2) * x - (_CURVE + 3)) * x * x + 1
    outer = (((x - 5) * x + 8) * x - 4) * _CURVE
    return torch.where(x <= 1, inner, torch.where(x < 2, outer, 0))
