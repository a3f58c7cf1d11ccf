"""Differences of several candidates to one of them, their intervals valid for all together.

References:
    C. W. Dunnett, "A multiple comparison procedure for comparing several treatments with a
    control", Journal of the American Statistical Association 50, 1955.
    doi:10.1080/01621459.1955.10501294 (here with the bootstrap's quantile for Student's)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from imrep.comparison.statistics.bootstrap import SPREAD, Bootstrap, small_sample

_LEVEL = 0.05
_NORMAL = 1.96  # the quantile of a single comparison


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def differences(boot: Bootstrap, reference: int) -> list[Interval | None]:
    """Each candidate's accuracy minus that of `reference`; None for that one itself.

    The intervals hold together: with a probability of 95 % every one of them covers its difference.
    """
    others = [j for j in range(len(boot.deviations)) if j != reference]
    quantile = _largest(boot, others, reference)
    return [
        None if j == reference else _interval(boot, j, reference, quantile)
        for j in range(len(others) + 1)
    ]


def _interval(boot: Bootstrap, j: int, reference: int, quantile: float) -> Interval:
    gain = float(boot.counts.accuracy[j] - boot.counts.accuracy[reference])
    factor = SPREAD * small_sample(boot.freedom(j, reference)) * quantile
    half, reach = factor * boot.bounded_sd(j, reference), 1 - boot.measure.low
    return Interval(gain, max(gain - half, -reach), min(gain + half, reach))


def _largest(boot: Bootstrap, others: Sequence[int], reference: int) -> float:
    """95 % quantile of the largest studentised deviation; at least that of one comparison."""
    gaps = np.stack(
        [boot.deviations[j] - boot.deviations[reference] for j in others] or [np.zeros(1)]
    )
    gaps = gaps - gaps.mean(1, keepdims=True)
    sd = gaps.std(1, keepdims=True)
    gaps, sd = gaps[sd[:, 0] > 1e-12], sd[sd[:, 0] > 1e-12]
    if not len(gaps):
        return _NORMAL
    return max(_NORMAL, float(np.quantile(np.abs(gaps / sd).max(0), 1 - _LEVEL)))
