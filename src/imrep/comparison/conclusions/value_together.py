"""All candidates put together to predict a number, beside the best of them alone."""

from collections.abc import Sequence

import numpy as np

from imrep.comparison.conclusions import together
from imrep.comparison.conclusions.regression import Regression, errors_of, guesses_of
from imrep.comparison.conclusions.together import (
    UNJUDGED,
    Rival,
    Together,
    all_and_cheap,
    parts_of,
    rivals,
)
from imrep.comparison.probes.value_combination import (
    ValueCombination,
    combine_values,
    fit_value_weights,
)
from imrep.comparison.statistics.explained_variance import influence, reductions
from imrep.comparison.statistics.gain import gains
from imrep.comparison.statistics.measures import EXPLAINED
from imrep.types import Progress


def put_values_together(
    regression: Regression, progress: Progress
) -> tuple[Together[ValueCombination], ...]:
    """The combination of all candidates, and that of those under a millisecond.

    There is none of fewer than two candidates, or where the best is not shown to see anything: it
    would be fitted to chance.

    Args:
        regression: The candidates' results.
        progress: Called with the step, how much of it is done, and of how much.
    """
    best = regression.verdict.standings[regression.verdict.leader]
    if regression.headline.id in UNJUDGED or best.low <= 0:
        return ()
    parts = rivals(regression.encoded, regression.predictions, regression.dataset, progress)
    return all_and_cheap(parts, lambda name, own: _made(name, own, regression))


def text(rows: Sequence[Together[ValueCombination]], target: str) -> str:
    """The sentences that follow the headline; "" without combinations."""
    return together.text(rows, lambda share: f"explain {share}% of how {target} varies")


def _made(
    name: str, own: Sequence[Rival], regression: Regression
) -> Together[ValueCombination] | None:
    """The combination of these candidates; None of fewer than two, or if none gets a weight."""
    if len(own) < 2:
        return None
    dataset = regression.dataset
    train = own[0].everywhere.train
    left_out = [rival.everywhere.left_out for rival in own]
    targets = dataset.targets(np.arange(len(dataset))).take(train)
    weights = fit_value_weights(left_out, targets)
    if not weights.any():
        return None
    made = combine_values([rival.folds for rival in own], dataset)
    parts, encoded = parts_of(name, own, weights, made.retained)
    leader = regression.verdict.leader
    pair = [regression.predictions[leader].centred, made.centred]
    errors, guess = np.stack([errors_of(dataset, each) for each in pair]), guesses_of(dataset)
    numbers, flips = influence(errors, guess), reductions(errors, guess)
    zeros = np.zeros(len(dataset), np.int64)
    result = gains(numbers, zeros, dataset.groups, dataset.seed, EXPLAINED, flips)[1]
    return Together(
        encoded=encoded,
        parts=parts,
        combination=made,
        result=result,
        leader=regression.encoded[leader],
    )
