"""All candidates put together, beside the best of them alone.

The weights are fitted inside each training part, so the accuracy is honest although it chooses
among all. It stands beside the verdict: it contains the leader, so it is no rival of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from imrep.comparison.candidates import Candidate
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.phrases import percent, plural_points, two_digits
from imrep.comparison.conclusions.recommend import FREE_MS
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import predictions
from imrep.comparison.probes.combination import Combination, combine, fit_weights
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.scores import FoldScores
from imrep.comparison.statistics.gain import Gain, gains
from imrep.types import Progress

ALL, CHEAP = "together", "together, cheap"

UNJUDGED = ("noise", "one", "too few", "none")
"""Headlines after which there is nothing to put together."""

_ROLES = ("contender", "own")  # a sum is made of parts that are there already
_MAX_NAMES = 3  # of parts in the sentence


class Part(NamedTuple):
    """A candidate in the combination.

    Attributes:
        encoded: The candidate.
        weight: Its share of the weights when they are fitted to all images, above 0.
        folds: Share of the folds that kept it.
        factor: The weight itself, by which its scores are multiplied.
    """

    encoded: EncodedCandidate
    weight: float
    folds: float
    factor: float = 1.0


@dataclass(frozen=True)
class Together:
    """A weighted combination of candidates.

    Args:
        encoded: Its parts as one candidate, which costs what they cost together.
        parts: By falling weight.
        combination: Its predictions and the weights in each fold.
        result: Its accuracy beside the leader's.
        leader: The most accurate candidate.
    """

    encoded: EncodedCandidate
    parts: tuple[Part, ...]
    combination: Combination
    result: Gain
    leader: EncodedCandidate


class _Rival(NamedTuple):
    """A candidate that may be a part."""

    encoded: EncodedCandidate
    folds: tuple[FoldScores, ...]
    everywhere: FoldScores


def put_together(
    dataset: LabelledDataset, classification: Classification, progress: Progress
) -> tuple[Together, ...]:
    """The combination of all candidates, and that of those under a millisecond.

    Sums, controls and constant vectors are not among them. There is no combination of fewer than
    two candidates, or where the headline says that nothing can be judged; the second is left out
    where it could hold the same parts.

    Args:
        dataset: The images that were scored.
        classification: The candidates' results.
        progress: Called with the step, how much of it is done, and of how much.
    """
    if classification.headline.id in UNJUDGED:
        return ()
    rivals = _rivals(dataset, classification, progress)
    everything = _made(ALL, rivals, dataset, classification)
    if everything is None:
        return ()
    cheap = [rival for rival in rivals if rival.encoded.cpu_ms < FREE_MS]
    specs = {rival.encoded.spec for rival in cheap}
    if all(part.encoded.spec in specs for part in everything.parts):
        return (everything,)
    second = _made(CHEAP, cheap, dataset, classification)
    return (everything,) if second is None else (everything, second)


def text(rows: Sequence[Together]) -> str:
    """The sentences that follow the headline; "" without combinations."""
    if not rows:
        return ""
    first, *others = rows
    return " ".join([_gained(first) if first.result.clear else _not_gained(first),
                     *(_cheap(row) for row in others)])  # fmt: skip


def _rivals(
    dataset: LabelledDataset, classification: Classification, progress: Progress
) -> list[_Rival]:
    pairs = [
        (encoded, predicted)
        for encoded, predicted in zip(
            classification.encoded, classification.predictions, strict=True
        )
        if encoded.candidate.role in _ROLES and predicted.folds
    ]
    if len(pairs) < 2:
        return []
    everywhere = predictions.for_each(
        lambda encoded: predictions.fit_all(encoded, dataset),
        [encoded for encoded, _ in pairs],
        dataset,
        "all together",
        progress,
    )
    return [
        _Rival(encoded, predicted.folds, scores)
        for (encoded, predicted), scores in zip(pairs, everywhere, strict=True)
    ]


def _made(
    name: str, rivals: Sequence[_Rival], dataset: LabelledDataset, classification: Classification
) -> Together | None:
    """The combination of these candidates; None of fewer than two, or if none gets a weight."""
    if len(rivals) < 2:
        return None
    labels, groups = dataset.labels, dataset.groups
    left_out = [rival.everywhere.left_out for rival in rivals]
    weights = fit_weights(left_out, rivals[0].everywhere.targets(labels, groups))
    if not weights.any():
        return None
    made = combine([rival.folds for rival in rivals], labels, groups, dataset.folds)
    order = [r for r in np.argsort(-weights, kind="stable").tolist() if weights[r] > 0]
    parts = tuple(
        Part(
            rivals[r].encoded,
            float(weights[r] / weights.sum()),
            float(made.retained[r]),
            float(weights[r]),
        )
        for r in order
    )
    encoded = tuple(part.encoded.parts[0] for part in parts)
    candidate = Candidate(name, "", tuple(part.rep for part in encoded), combined=True)
    leader = classification.verdict.leader
    pair = np.stack([classification.predictions[leader].probe, made.probe])
    result = gains(pair == labels, labels, groups, dataset.seed)[1]
    return Together(
        encoded=EncodedCandidate(candidate, encoded),
        parts=parts,
        combination=made,
        result=result,
        leader=classification.encoded[leader],
    )


def _gained(row: Together) -> str:
    result, names = row.result, [f"{p.encoded.spec} {percent(p.weight)}%" for p in row.parts]
    more = " ..." if len(names) > _MAX_NAMES else ""
    gain = f"{100 * result.gain:.1f}"
    sentence = (
        f"Together they do better: **{len(names)} of them, weighted** "
        f"({', '.join(names[:_MAX_NAMES])}{more}; chosen inside the training part of every fold) "
        f"name {percent(result.accuracy)}%, {gain} {plural_points(gain)} more than "
        f"{row.leader.spec} alone{_cost(row)}."
    )
    if any(part.folds < 1 for part in row.parts):
        sentence += " The choice differs a little between folds; shown is the one on all images."
    return sentence


def _cost(row: Together) -> str:
    """Beside the leader's; "" where a time is not known."""
    ms, alone = row.encoded.cpu_ms, row.leader.cpu_ms
    if not (math.isfinite(ms) and math.isfinite(alone)):
        return ""
    return f", at {two_digits(ms)} ms an image instead of {two_digits(alone)}"


def _not_gained(row: Together) -> str:
    accuracy = row.result.accuracy
    return (
        f"Putting them together does not visibly help: {percent(accuracy)}% against "
        f"{percent(accuracy - row.result.gain)}% for {row.leader.spec} alone."
    )


def _cheap(row: Together) -> str:
    return (
        f"Only those under {FREE_MS:g} ms, together: {percent(row.result.accuracy)}% at "
        f"{two_digits(row.encoded.cpu_ms)} ms."
    )
