"""Distances between raw outputs of a head and its targets, in three terms: c, vectors, scales.

Each term is a sum over the cells whose target is known, divided by the number of images.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_MAX_LOG = 3.0  # bounds the logarithm of the variance
_CLAMP = 5.0  # distances beyond it grow as their logarithm
_ALPHA, _LEAST_LOGIT = 0.5, -15.0  # of the focal loss; background below it has no loss
_LOG_TWO = 0.69314  # as the authors round it, so that gradients are theirs
_LOG_TWO_2019 = 0.694  # as in the paper of 2019


class Parts(NamedTuple):
    """A head's numbers, apart.

    Args:
        spread: (b, field, h, w), logarithm of the variance.
        confidence: (b, field, h, w).
        vectors: (b, field, end, 2, h, w), x and y.
        scales: (b, field, end, h, w).
    """

    spread: Tensor
    confidence: Tensor
    vectors: Tensor
    scales: Tensor


def parts(raw: Tensor) -> Parts:
    """The parts of a head's output, (b, field, 2 + 3 ends, h, w)."""
    ends = (raw.shape[2] - 2) // 3
    vectors = raw[:, :, 2 : 2 + 2 * ends].unflatten(2, (ends, 2))
    return Parts(raw[:, :, 0], raw[:, :, 1], vectors, raw[:, :, 2 + 2 * ends :])


def log_variance(spread: Tensor) -> Tensor:
    """The logarithm of the variance, within ± 3."""
    return _MAX_LOG * torch.tanh(spread / _MAX_LOG)


def composite_loss(raw: Tensor, target: Tensor) -> Tensor:
    """The three terms of OpenPifPaf 0.13, whose uncertainty is shared by all components; (3,).

    Args:
        raw: Of a head in training, (b, field, 2 + 3 ends, h, w).
        target: (b, field, 1 + 4 ends, h, w): confidence, vectors, least distances, scales; NaN
            where not known.
    """
    own, ends = parts(raw), (raw.shape[2] - 2) // 3
    expected, precision, scales = _targets(target, ends)
    variance = log_variance(own.spread)
    terms = (
        _focal(own.confidence, target[:, :, 0], variance),
        sum(
            _vector(
                own, end, expected[:, :, end], precision[:, :, end], scales[:, :, end], variance
            )
            for end in range(ends)
        ),
        _relative_scales(own.scales, scales),
    )
    return torch.stack([torch.as_tensor(term) for term in terms]) / len(raw)


def paper_loss(raw: Tensor, target: Tensor) -> Tensor:
    """The three terms of the paper of 2019: cross-entropy, Laplace, absolute difference; (3,).

    Args:
        raw: As `composite_loss` has it.
        target: Likewise; its least distances are not used.
    """
    own, ends = parts(raw), (raw.shape[2] - 2) // 3
    expected, _, scales = _targets(target, ends)
    confidence = target[:, :, 0]
    valid = confidence.isfinite()
    entropy = F.binary_cross_entropy_with_logits(
        own.confidence[valid], confidence[valid], reduction="sum"
    )
    log_b = log_variance(own.spread)
    vectors = raw.new_zeros(())
    for end in range(ends):
        inside = expected[:, :, end].isfinite().all(2)
        error = (own.vectors[:, :, end] - expected[:, :, end]).movedim(2, -1)[inside]
        distance = (error.square().sum(-1) + 1e-12).sqrt()  # the root has no gradient at 0
        b = log_b[inside]
        vectors = vectors + (_LOG_TWO_2019 + b + distance * torch.exp(-b)).sum()
    inside = scales.isfinite()
    absolute = (F.softplus(own.scales[inside]) - scales[inside]).abs().sum()
    return torch.stack([entropy, vectors, absolute]) / len(raw)


OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "v0.13": composite_loss,
    "2019": paper_loss,
}


def _targets(target: Tensor, ends: int) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors (b, field, end, 2, h, w), least distances and scales (b, field, end, h, w)."""
    vectors = target[:, :, 1 : 1 + 2 * ends].unflatten(2, (ends, 2))
    precision = target[:, :, 1 + 2 * ends : 1 + 3 * ends]
    return vectors, precision, target[:, :, 1 + 3 * ends :]


def _focal(logit: Tensor, target: Tensor, log_variances: Tensor) -> Tensor:
    """The focal loss as the distance to a target that moves with the prediction.

    Its gradient is that of the focal loss, and a distance can be clamped and have an uncertainty.
    """
    valid = target.isfinite()
    x, positive, variance = logit[valid], target[valid] > 0.5, log_variances[valid]
    fixed = x.detach()
    sign = torch.where(positive, 1.0, -1.0).to(x)
    q = torch.sigmoid(-sign * fixed)
    step = sign * q * _ALPHA * (q + (1 - q) * F.softplus(-sign * fixed))
    distance = F.smooth_l1_loss(x, fixed + step, reduction="none")
    distance = distance.masked_fill(~positive & (fixed < _LEAST_LOGIT), 0)
    distance = _softclamp(distance)
    weighted = 0.5 * distance * torch.exp(-variance) + 0.5 * variance
    return torch.where(positive, weighted, distance).sum()


def _vector(  # the parts of an end of the target
    own: Parts, end: int, target: Tensor, precision: Tensor, scale: Tensor, log_variances: Tensor
) -> Tensor:
    """Laplace's negative logarithm of likelihood, of distances in units of half the scale."""
    valid = target.isfinite().all(2)
    error = (own.vectors[:, :, end] - target).movedim(2, -1)[valid]
    distance = (error.square().sum(-1) + precision[valid].square()).sqrt()
    predicted = F.softplus(own.scales[:, :, end].detach())
    unit = torch.where(scale.isfinite(), scale, predicted)[valid]
    distance = _softclamp(distance / (0.5 * unit))
    log_b = 0.5 * log_variances[valid] + _LOG_TWO
    return (distance * torch.exp(-log_b) + log_b).sum()


def _relative_scales(raw: Tensor, target: Tensor) -> Tensor:
    valid = target.isfinite()
    expected = target[valid]
    error = _softclamp((F.softplus(raw[valid]) - expected).abs() / (0.1 + expected))
    return F.smooth_l1_loss(error, torch.zeros_like(error), reduction="sum")


def _softclamp(distance: Tensor) -> Tensor:
    # The logarithm's argument is held at 1, since `where` passes on the gradient of both branches.
    excess = (distance - (_CLAMP - 1)).clamp_min(1)
    return torch.where(distance > _CLAMP, _CLAMP + torch.log(excess), distance)
