"""Numbers as the ridge takes them: standardised columns, in which every image counts the same."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.estimators.targets import RidgeTargets

_MAX_BINS = 5
_MIN_GROUPS = 2  # of a bin, so that one can be tested while another is trained on


@dataclass(frozen=True, kw_only=True)
class ValueTargets(RidgeTargets):
    """Numbers and groups of the training images; a column of mean 0 and deviation 1 for each.

    Attributes:
        bins: Stratum of each image, 0 … B-1.
        centre: Mean of each column in its own unit.
        scale: Standard deviation of each column in its own unit; 0 where it does not vary.
    """

    bins: Int[Array, " n"]
    centre: Float[Array, " c"]
    scale: Float[Array, " c"]

    @staticmethod
    def of(
        values: Float[Array, "n c"], groups: Int[Array, " n"], bins: Int[Array, " n"]
    ) -> "ValueTargets":
        """Targets of several columns, which are solved together.

        Args:
            values: One column a target, each in its own unit.
            groups: Group of each image.
            bins: Stratum of each image, 0 … B-1 (`quantile_bins`); all 0 for none.
        """
        n, centre = len(values), values.mean(0)
        # the mean of equal numbers may be off by round-off, and so their deviation not 0
        scale = np.where(np.ptp(values, axis=0) > 0, values.std(0), 0.0)
        standardised = (values - centre) / np.where(scale > 0, scale, np.inf)
        return ValueTargets(
            groups=groups,
            values=standardised,
            share=np.full(n, 1 / n),
            root=np.ones(n),
            bins=bins,
            centre=centre,
            scale=scale,
        )

    @property
    def strata(self) -> Int[Array, " n"]:
        """The bins."""
        return self.bins

    @property
    def strata_count(self) -> int:
        """Number of bins."""
        return int(self.bins.max()) + 1

    def take(self, images: Int[Array, " m"]) -> Self:
        """Targets of a subset of the images, in the units of all of them."""
        m = len(images)
        return replace(
            self,
            groups=self.groups[images],
            values=self.values[images],
            share=np.full(m, 1 / m),
            root=np.ones(m),
            bins=self.bins[images],
        )

    def loss(self, left_out: Float[Array, "n c"]) -> float:
        """Mean squared error of left-out predictions over all columns, in squared deviations."""
        return float(np.square(self.values - left_out).mean())

    def in_units(self, scores: Float[Array, "q c"]) -> Float[Array, "q c"]:
        """Predictions in the units of the columns, from scores in deviations."""
        return self.centre + self.scale * scores


def quantile_bins(values: Float[Array, " n"], groups: Int[Array, " n"]) -> Int[Array, " n"]:
    """Bin of each number, 0 … B-1: quintiles, or fewer equal shares.

    There are as many, up to five, as leave two groups in each. Where many numbers are equal some
    of the bins are empty; they are not counted.

    Args:
        values: The numbers.
        groups: Group of each.
    """
    for count in range(_MAX_BINS, 1, -1):
        edges = np.quantile(values, np.arange(1, count) / count)
        bins = np.unique(np.digitize(values, edges), return_inverse=True)[1]
        pairs = np.unique(np.stack([bins, groups]), axis=1)
        if np.bincount(pairs[0]).min() >= _MIN_GROUPS:
            return bins
    return np.zeros(len(values), np.int64)
