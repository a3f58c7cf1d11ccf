"""All candidates put together, beside the best of them alone.

The weights are fitted inside each training part, so the accuracy is honest although it chooses
among all. It stands beside the verdict: it contains the leader, so it is no rival of it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from imrep.comparison.candidates import Candidate
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.phrases import percent, plural_points, two_digits
from imrep.comparison.conclusions.recommend import FREE_MS
from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import predictions
from imrep.comparison.probes.combination import Combination, combine, fit_weights
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.scores import FoldScores
from imrep.comparison.statistics.gain import Gain, gains
from imrep.types import Progress

C = TypeVar("C", covariant=True)

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


class Scored(Protocol):
    """Predictions of a candidate."""

    @property
    def folds(self) -> tuple[FoldScores, ...]:
        """Scores of the ridge in each fold; without those where the vectors were constant."""


@dataclass(frozen=True)
class Together(Generic[C]):
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
    combination: C
    result: Gain
    leader: EncodedCandidate


class Rival(NamedTuple):
    """A candidate that may be a part: its scores in the folds, and those of a fit to all images."""

    encoded: EncodedCandidate
    folds: tuple[FoldScores, ...]
    everywhere: FoldScores


def put_together(
    dataset: LabelledDataset, classification: Classification, progress: Progress
) -> tuple[Together[Combination], ...]:
    """The combination of all candidates, and that of those under a millisecond.

    Sums, controls and constant vectors are not among them, nor what was trained on the labels: the
    weights rest on scores of training images. There is no combination of fewer than
    two candidates, or where the headline says that nothing can be judged; the second is left out
    where it could hold the same parts.

    Args:
        dataset: The images that were scored.
        classification: The candidates' results.
        progress: Called with the step, how much of it is done, and of how much.
    """
    if classification.headline.id in UNJUDGED:
        return ()
    parts = rivals(classification.encoded, classification.predictions, dataset, progress)
    return all_and_cheap(parts, lambda name, own: _made(name, own, dataset, classification))


def all_and_cheap(
    rivals: Sequence[Rival], made: Callable[[str, Sequence[Rival]], Together[C] | None]
) -> tuple[Together[C], ...]:
    """The combination of all, and that of those under a millisecond if it holds other parts.

    Args:
        rivals: The candidates.
        made: Makes a combination of a name from some of them, if it can.
    """
    everything = made(ALL, rivals)
    if everything is None:
        return ()
    cheap = [rival for rival in rivals if rival.encoded.cpu_ms < FREE_MS]
    specs = {rival.encoded.spec for rival in cheap}
    if all(part.encoded.spec in specs for part in everything.parts):
        return (everything,)
    second = made(CHEAP, cheap)
    return (everything,) if second is None else (everything, second)


def text(
    rows: Sequence[Together[object]], achieve: Callable[[str], str] = "name {}%".format
) -> str:
    """The sentences that follow the headline; "" without combinations.

    Args:
        rows: The combinations.
        achieve: What candidates do, by their score in percent.
    """
    if not rows:
        return ""
    first, *others = rows
    sentence = (_gained if first.result.clear else _not_gained)(first, achieve)
    return " ".join([sentence, *map(_cheap, others)])


def rivals(
    encoded: Sequence[EncodedCandidate],
    predicted: Sequence[Scored],
    dataset: FoldedDataset,
    progress: Progress,
) -> list[Rival]:
    """Candidates that may be parts; none where there are fewer than two.

    Args:
        encoded: The candidates.
        predicted: Their predictions.
        dataset: The images that were scored.
        progress: Called with the step, how much of it is done, and of how much.
    """
    pairs = [
        (each, scored)
        for each, scored in zip(encoded, predicted, strict=True)
        if each.candidate.role in _ROLES and scored.folds and not each.trained
    ]
    if len(pairs) < 2:
        return []
    everywhere = predictions.for_each(
        lambda each: predictions.fit_all(each, dataset),
        [each for each, _ in pairs],
        dataset,
        "all together",
        progress,
    )
    return [
        Rival(each, scored.folds, scores)
        for (each, scored), scores in zip(pairs, everywhere, strict=True)
    ]


def _made(
    name: str, rivals: Sequence[Rival], dataset: LabelledDataset, classification: Classification
) -> Together[Combination] | None:
    """The combination of these candidates; None of fewer than two, or if none gets a weight."""
    if len(rivals) < 2:
        return None
    labels, groups = dataset.labels, dataset.groups
    left_out = [rival.everywhere.left_out for rival in rivals]
    weights = fit_weights(left_out, rivals[0].everywhere.targets(labels, groups))
    if not weights.any():
        return None
    made = combine([rival.folds for rival in rivals], labels, groups, dataset.folds)
    parts, encoded = parts_of(name, rivals, weights, made.retained)
    leader = classification.verdict.leader
    pair = np.stack([classification.predictions[leader].probe, made.probe])
    result = gains(pair == labels, labels, groups, dataset.seed)[1]
    return Together(
        encoded=encoded,
        parts=parts,
        combination=made,
        result=result,
        leader=classification.encoded[leader],
    )


def parts_of(
    name: str, rivals: Sequence[Rival], weights: np.ndarray, retained: np.ndarray
) -> tuple[tuple[Part, ...], EncodedCandidate]:
    """The parts with a weight, by falling weight, and all of them as one candidate.

    Args:
        name: Of the combination.
        rivals: The candidates.
        weights: Weight of each where they are fitted to all images.
        retained: Share of the folds that kept each.
    """
    order = [r for r in np.argsort(-weights, kind="stable").tolist() if weights[r] > 0]
    parts = tuple(
        Part(
            rivals[r].encoded,
            float(weights[r] / weights.sum()),
            float(retained[r]),
            float(weights[r]),
        )
        for r in order
    )
    encoded = tuple(part.encoded.parts[0] for part in parts)
    candidate = Candidate(name, "", tuple(part.rep for part in encoded), combined=True)
    return parts, EncodedCandidate(candidate, encoded)


def _weighted_names(parts: Sequence[Part]) -> str:
    """The first three with their weights: sift 30%, hog 20%, dct 10% ..."""
    names = [f"{part.encoded.spec} {percent(part.weight)}%" for part in parts[:_MAX_NAMES]]
    return ", ".join(names) + (" ..." if len(parts) > _MAX_NAMES else "")


def _gained(row: Together[object], achieve: Callable[[str], str]) -> str:
    gain = f"{100 * row.result.gain:.1f}"
    return (
        f"Together they do better: **{len(row.parts)} of them, weighted** "
        f"({_weighted_names(row.parts)}; chosen inside the training part of every fold) "
        f"{achieve(percent(row.result.accuracy))}, {gain} {plural_points(gain)} more than "
        f"{row.leader.spec} alone{_cost(row)}.{_differing(row)}"
    )


def _differing(row: Together[object]) -> str:
    """That the folds chose other parts; "" if they did not."""
    if all(part.folds == 1 for part in row.parts):
        return ""
    return " The choice differs a little between folds; shown is the one on all images."


def _cost(row: Together[object]) -> str:
    """Beside the leader's; "" where a time is not known."""
    ms, alone = row.encoded.cpu_ms, row.leader.cpu_ms
    if not (math.isfinite(ms) and math.isfinite(alone)):
        return ""
    return f", at {two_digits(ms)} ms an image instead of {two_digits(alone)}"


def _not_gained(row: Together[object], achieve: Callable[[str], str]) -> str:
    accuracy = row.result.accuracy
    return (
        f"Putting them together does not visibly help: they {achieve(percent(accuracy))} against "
        f"{percent(accuracy - row.result.gain)}% for {row.leader.spec} alone."
    )


def _cheap(row: Together[object]) -> str:
    return (
        f"Only those under {FREE_MS:g} ms, together: {percent(row.result.accuracy)}% at "
        f"{two_digits(row.encoded.cpu_ms)} ms."
    )
