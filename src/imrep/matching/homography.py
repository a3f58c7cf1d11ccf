"""Homographies: robust estimation from paired points, and the inliers that chance explains."""

import math

import cv2
import numpy as np
import torch
from scipy.special import gammaln
from torch import Tensor

__all__ = ["WITHIN", "chance", "corners", "estimate", "scaling", "transform"]

WITHIN = 3.0  # pixels between an inlier and the mapped point
_MINIMAL = 4  # pairs that determine a homography
_MAX_FALSE_ALARMS = 0.01  # expected in an image without the query
_MAX_ENLARGEMENT = 16.0  # in length, and its inverse: beyond, no keypoint is detected in both


def estimate(first: Tensor, second: Tensor, size: tuple[int, int], within: float) -> Tensor | None:
    """The homography with the most inliers among paired points (n, 2), by MAGSAC++.

    Args:
        first: Points of the first image, float64.
        second: Their partners in the second.
        size: Height and width of the first.
        within: Pixels between an inlier and the mapped point, at most.

    Returns:
        (3, 3), its last number 1; None for four pairs or fewer, or where no camera could have taken
        both images of a plane.

    References:
        D. Barath, J. Noskova, M. Ivashechkin and J. Matas, "MAGSAC++, a fast, reliable and accurate
        robust estimator", CVPR 2020. doi:10.1109/CVPR42600.2020.00138
    """
    if len(first) <= _MINIMAL:
        return None
    matrix, _ = cv2.findHomography(
        first.numpy(), second.numpy(), cv2.USAC_MAGSAC, within, maxIters=10_000, confidence=0.9999
    )
    if matrix is None or not np.isfinite(matrix).all() or abs(matrix[2, 2]) < 1e-12:
        return None
    homography = torch.from_numpy(matrix / matrix[2, 2])
    return homography if _is_view(homography, size) else None


def chance(pairs: int, size: tuple[int, int], within: float = WITHIN) -> int:
    """Inliers that pairs of uniformly random points reach; more, in one image of a hundred.

    Four pairs determine a homography and are its inliers. Any other random pair is one with the
    probability p, the area of a circle of radius `within` over the image's. The expected number of
    sets of k inliers among n pairs, the number of false alarms, is
    (n - 4) C(n, k) C(k, 4) p^(k - 4).

    Args:
        pairs: Number of pairs.
        size: Height and width of the second image.
        within: Pixels between an inlier and the mapped point, at most.

    References:
        L. Moisan, P. Moulon and P. Monasse, "Automatic homographic registration of a pair of
        images, with a contrario elimination of outliers", IPOL 2, 2012.
        doi:10.5201/ipol.2012.mmm-oh

    Example:
        >>> [chance(pairs, (480, 640)) for pairs in (3, 30, 300, 3000)]
        [3, 6, 10, 17]
    """
    if pairs <= _MINIMAL:
        return pairs
    p = min(1.0, math.pi * within**2 / (size[0] * size[1]))
    k = np.arange(_MINIMAL + 1, pairs + 1)
    # In logarithms: the binomials overflow floats from about a thousand pairs on.
    sets = _log_choose(pairs, k) + _log_choose(k, _MINIMAL) + math.log(pairs - _MINIMAL)
    false_alarms = sets + (k - _MINIMAL) * math.log(p)
    return int(k[false_alarms > math.log(_MAX_FALSE_ALARMS)].max(initial=_MINIMAL))


def corners(size: tuple[int, int]) -> Tensor:
    """Corners (4, 2) of an image's area, clockwise from the upper left."""
    height, width = size
    x, y = width - 0.5, height - 0.5  # of the right and of the lower edge
    ring = [(-0.5, -0.5), (x, -0.5), (x, y), (-0.5, y)]
    return torch.tensor(ring, dtype=torch.float64)


def scaling(old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """The homography from an image's pixels to those of the same image at another size."""
    y, x = (after / before for before, after in zip(old, new, strict=True))
    rows = [[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]]
    return torch.tensor(rows, dtype=torch.float64)


def transform(points: Tensor, homography: Tensor) -> Tensor:
    """Points (n, 2) mapped by a homography."""
    mapped = _homogeneous(points) @ homography.T
    return mapped[:, :2] / mapped[:, 2:]


def _is_view(homography: Tensor, size: tuple[int, int]) -> bool:
    """Whether the complete image lies before the camera, unmirrored, at a similar scale.

    A degenerate homography maps the image to one spot, and every pair that ends there is an inlier.
    """
    depth = _homogeneous(corners(size)) @ homography[2]
    determinant = homography.det()
    if not bool((depth > 0).all()) or not bool(determinant > 0):
        return False
    # The Jacobian of a homography is det(H) / depth³; its root is the local enlargement.
    enlargement = (determinant / depth**3).sqrt()
    limits = (enlargement < _MAX_ENLARGEMENT) & (enlargement > 1 / _MAX_ENLARGEMENT)
    return bool(limits.all())


def _homogeneous(points: Tensor) -> Tensor:
    return torch.cat([points, points.new_ones(len(points), 1)], dim=1)


def _log_choose(n: int | np.ndarray, k: int | np.ndarray) -> np.ndarray:
    n, k = np.asarray(n), np.asarray(k)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
