"""The code of both heads: joints first, then edges, each field with two ends.

A joint's field has one end, which is stored twice, so that all fields are of one shape.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.codes import Fields
from imrep.represent.spatial.composite.heads import activated
from imrep.represent.spatial.composite.losses import Parts, log_variance
from imrep.represent.spatial.composite.reference import Problem
from imrep.represent.spatial.composite.skeleton import Skeleton
from imrep.represent.spatial.composite.targets import Targets
from imrep.represent.spatial.composite.thresholds import Thresholds


def join(
    raw: tuple[Tensor, Tensor], skeleton: Skeleton, stride: int, size: tuple[int, int]
) -> Fields:
    """The code of raw outputs of both heads, (b, field, 5 or 8, h, w)."""
    intensity, association = map(activated, raw)
    parts = [_two_ended(intensity), association]
    raw_spread, confidence, vectors, scales = (
        torch.cat(values, 1) for values in zip(*parts, strict=True)
    )
    deviation = torch.exp(0.5 * log_variance(raw_spread))
    spread = deviation[:, :, None].expand_as(scales)
    return Fields(confidence, vectors, spread, scales, stride, size, skeleton.labels)


def of_targets(targets: Targets, skeleton: Skeleton, stride: int, size: tuple[int, int]) -> Fields:
    """The code of one image that a perfect network would give: confidence 1 along its poses."""
    parts = []
    for field, ends in ((targets.intensity, 1), (targets.association, 2)):
        target = torch.from_numpy(field)[None]
        confidence = target[:, :, 0].nan_to_num(0)
        vectors = target[:, :, 1 : 1 + 2 * ends].unflatten(2, (ends, 2))
        scales = target[:, :, 1 + 3 * ends :]
        valid = (confidence > 0) & vectors.isfinite().all(3).all(2) & scales.isfinite().all(2)
        logit = torch.where(valid, torch.inf, -torch.inf)
        # The inverse of softplus, which is s itself in float32 for large s.
        inverse = scales + torch.log(-torch.expm1(-scales))
        raw = torch.cat([torch.zeros_like(logit)[:, :, None], logit[:, :, None],
                         vectors.flatten(2, 3), inverse], 2)  # fmt: skip
        parts.append(torch.where(valid[:, :, None], raw, raw.nan_to_num(0)))
    return join((parts[0], parts[1]), skeleton, stride, size)


def problems(code: Fields, skeleton: Skeleton, thresholds: Thresholds) -> list[Problem]:
    """What the decoder reads, image by image."""
    joints = len(skeleton.joints)
    confidence, vectors, scales = (
        tensor.detach().float().cpu().numpy()
        for tensor in (code.confidence, code.vectors, code.extent)
    )
    result = []
    for c, xy, s in zip(confidence, vectors, scales, strict=True):
        own = _stacked(c[:joints], xy[:joints, :1], s[:joints, :1])
        edges = _stacked(c[joints:], xy[joints:], s[joints:])
        result.append(Problem(own, edges, skeleton.pairs, code.stride, thresholds))
    return result


def _stacked(
    confidence: NDArray[np.float32], vectors: NDArray[np.float32], scales: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(field, 1 + 3 ends, h, w): confidence, positions, scales."""
    flat = vectors.reshape(len(vectors), -1, *vectors.shape[3:])
    return np.concatenate([confidence[:, None], flat, scales], 1)


def _two_ended(own: Parts) -> Parts:
    twice = (own.vectors.expand(-1, -1, 2, -1, -1, -1), own.scales.expand(-1, -1, 2, -1, -1))
    return Parts(own.spread, own.confidence, *twice)
