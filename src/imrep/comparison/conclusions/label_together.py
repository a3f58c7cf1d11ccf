"""All candidates put together to rank images by their labels, beside the best of them alone."""

from collections.abc import Sequence

import numpy as np

from imrep.comparison.conclusions import together
from imrep.comparison.conclusions.multi_label import MultiLabel
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
from imrep.types import Progress


def put_labels_together(
    results: MultiLabel, progress: Progress
) -> tuple[Together[ValueCombination], ...]:
    """The combination of all candidates, and that of those under a millisecond.

    There is none of fewer than two candidates, or where the best is not shown to see the labels: it
    would be fitted to chance.

    Args:
        results: The candidates' results.
        progress: Called with the step, how much of it is done, and of how much.
    """
    best = results.verdict.standings[results.verdict.leader]
    if results.headline.id in UNJUDGED or best.low <= results.verdict.chance:
        return ()
    parts = rivals(results.encoded, results.predictions, results.dataset.valued, progress)
    return all_and_cheap(parts, lambda name, own: _made(name, own, results))


def text(rows: Sequence[Together[ValueCombination]]) -> str:
    """The sentences that follow the headline; "" without combinations."""
    return together.text(rows, "reach mean average precision {}%".format)


def _made(
    name: str, own: Sequence[Rival], results: MultiLabel
) -> Together[ValueCombination] | None:
    """The combination of these candidates; None of fewer than two, or if none gets a weight."""
    if len(own) < 2:
        return None
    dataset = results.dataset.valued
    left_out = [rival.everywhere.left_out for rival in own]
    targets = dataset.targets(np.arange(len(dataset))).take(own[0].everywhere.train)
    weights = fit_value_weights(left_out, targets)
    if not weights.any():
        return None
    made = combine_values([rival.folds for rival in own], dataset)
    parts, encoded = parts_of(name, own, weights, made.retained)
    leader = results.verdict.leader
    pair = [results.precisions[leader], results.rankings.precision(made.centred)]
    return Together(
        encoded=encoded,
        parts=parts,
        combination=made,
        result=results.rankings.gains(pair)[1],
        leader=results.encoded[leader],
    )
