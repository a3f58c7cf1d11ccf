"""Views of a plane: the homography that pairs of places share, and what chance makes of pairs."""

import math

import cv2
import numpy as np
import torch
from scipy.special import gammaln
from torch import Tensor

__all__ = ["WITHIN", "chance", "corners", "estimate", "moved", "scaling"]

WITHIN = 3.0  # pixels
_MINIMAL = 4  # pairs that fix a homography
_RARE = 0.01  # pictures in which chance gives more
_DEEP = 16.0  # times larger or smaller is no view of it any more


def estimate(first: Tensor, second: Tensor, size: tuple[int, int], within: float) -> Tensor | None:
    """The homography that most pairs of places (n, 2) keep to, if a camera could have seen it so.

    Args:
        first: Places in the first picture, float64.
        second: Places in the second.
        size: Height and width of the first.
        within: Pixels that a pair may be off and keep to it.

    Returns:
        (3, 3), its last number 1; None for four pairs or fewer, or where it is no view.

    References:
        D. Barath, J. Noskova, M. Ivashechkin and J. Matas, "MAGSAC++, a fast, reliable and accurate
        robust estimator", CVPR 2020. doi:10.1109/CVPR42600.2020.00138
    """
    if len(first) <= _MINIMAL:
        return None
    found, _ = cv2.findHomography(
        first.numpy(), second.numpy(), cv2.USAC_MAGSAC, within, maxIters=10_000, confidence=0.9999
    )
    if found is None or not np.isfinite(found).all() or abs(found[2, 2]) < 1e-12:
        return None
    view = torch.from_numpy(found / found[2, 2])
    return view if _possible(view, size) else None


def chance(pairs: int, size: tuple[int, int], within: float = WITHIN) -> int:
    """The most inliers that pairs of places drawn at random give, but for one picture in a hundred.

    Four pairs fix a view and always keep to it. Any other pair does with p, the share of the
    picture within reach of one place. A set of k of n pairs that keep to a view fixed by four of
    them is expected (n - 4) C(n, k) C(k, 4) p^(k - 4) times: the number of false alarms.

    Args:
        pairs: How many there are.
        size: Height and width of the picture in which they are to agree.
        within: Pixels that an inlier may be off.

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
    share = min(1.0, math.pi * within**2 / (size[0] * size[1]))
    k = np.arange(_MINIMAL + 1, pairs + 1)
    ways = _log_choose(pairs, k) + _log_choose(k, _MINIMAL) + math.log(pairs - _MINIMAL)
    alarms = ways + (k - _MINIMAL) * math.log(share)
    return int(k[alarms > math.log(_RARE)].max(initial=_MINIMAL))


def corners(size: tuple[int, int]) -> Tensor:
    """Of the pixels' area, clockwise from the upper left."""
    height, width = size
    right, bottom = width - 0.5, height - 0.5
    ring = [(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)]
    return torch.tensor(ring, dtype=torch.float64)


def scaling(old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Takes pixels of a picture to those of the same picture at another size."""
    y, x = (after / before for before, after in zip(old, new, strict=True))
    rows = [[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]]
    return torch.tensor(rows, dtype=torch.float64)


def moved(places: Tensor, view: Tensor) -> Tensor:
    """Places (n, 2) through a homography."""
    at = _homogeneous(places) @ view.T
    return at[:, :2] / at[:, 2:]


def _possible(view: Tensor, size: tuple[int, int]) -> bool:
    """Whether the whole picture stays before the camera, unmirrored, and is about as large.

    Else all of it could be crushed into one spot, where any pair that ends there would agree.
    """
    depth = _homogeneous(corners(size)) @ view[2]
    turned = view.det()
    if not bool((depth > 0).all()) or not bool(turned > 0):
        return False
    enlarged = (turned / depth**3).sqrt()
    return bool(((enlarged < _DEEP) & (enlarged > 1 / _DEEP)).all())


def _homogeneous(places: Tensor) -> Tensor:
    return torch.cat([places, places.new_ones(len(places), 1)], dim=1)


def _log_choose(n: int | np.ndarray, k: int | np.ndarray) -> np.ndarray:
    n, k = np.asarray(n), np.asarray(k)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
