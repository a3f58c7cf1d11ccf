"""How many labels look wrong, and which, measured by labels that were changed on purpose.

A label is suspect where its probability is below the median of the changed ones. If a share F(τ) of
the changed labels is at most τ and m(τ) of the given ones are, about m(τ) / F(τ) of the given ones
are wrong, were none of them a right label of an odd picture; the smallest such ratio is the
estimate.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

_RANGE = (0.2, 0.8)  # quantiles of the changed labels between which thresholds are tried
_FIRST = 3  # times as many images as labels changed, among which the changed are looked for


class LabelErrors(NamedTuple):
    """Images to check.

    Attributes:
        images: Those whose label is improbable, the least probable first.
        threshold: Largest probability of a listed label: the median of the changed ones.
        wrong: Estimated number of wrong labels among all images.
        recall: Share of the changed labels among the first images of their draw, three times as
            many as labels were changed; the mean over the draws.
    """

    images: Int[Array, " m"]
    threshold: float
    wrong: int
    recall: float

    @property
    def right(self) -> int:
        """How many of the listed images are expected to be labelled right."""
        return round(max(0.0, len(self.images) - self.wrong / 2))


def label_errors(
    probability: Float[Array, " n"],
    changed: Float[Array, "d n"],
    images: Int[Array, "d k"],
    counted: Bool[Array, " n"],
    order: Int[Array, " n"],
) -> LabelErrors:
    """The images to check, and the estimate.

    Args:
        probability: Of the given label of each image.
        changed: The same of the labels of each draw.
        images: Those whose label was changed in each draw.
        counted: Images that may be listed.
        order: All images in the order that breaks ties.
    """
    planted = np.sort(np.take_along_axis(changed, images, axis=1), axis=None).astype(np.float64)
    threshold = float(np.median(planted))
    ranked = _ranked(probability, order)
    listed = ranked[counted[ranked] & (probability[ranked] <= threshold)]
    low, high = np.quantile(planted, _RANGE)
    tried = planted[(planted >= low) & (planted <= high)]
    share = np.searchsorted(planted, tried, side="right") / len(planted)
    suspect = np.searchsorted(np.sort(probability[counted]), tried, side="right")
    wrong = round(float((suspect / share).min()))
    return LabelErrors(listed, threshold, wrong, _recall(changed, images, order))


def _recall(
    changed: Float[Array, "d n"], images: Int[Array, "d k"], order: Int[Array, " n"]
) -> float:
    count = _FIRST * images.shape[1]
    shares = [
        np.isin(own, _ranked(values, order)[:count]).mean()
        for own, values in zip(images, changed, strict=True)
    ]
    return float(np.mean(shares))


def _ranked(values: Float[Array, " n"], order: Int[Array, " n"]) -> Int[Array, " n"]:
    """Images by rising value, equal ones in order."""
    return order[np.argsort(values[order], kind="stable")]
