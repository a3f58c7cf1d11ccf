"""Images to look at: labels that may be wrong, hard and typical pictures, the most confused pair.

Each rests on the out-of-fold probabilities of the weighted combination, or where there is none on
the mean of those of the five most accurate candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from imrep.comparison.conclusions import remarkable
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.phrases import percent
from imrep.comparison.conclusions.remarkable import Remarkable
from imrep.comparison.conclusions.together import ALL, Together
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import planted, predictions
from imrep.comparison.probes.calibrated import calibrate
from imrep.comparison.probes.classifier import Predictions
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.planted import Planted
from imrep.comparison.statistics.label_errors import LabelErrors, label_errors
from imrep.plural import several
from imrep.types import Progress

_UNJUDGED = ("noise", "too few", "none")  # headlines after which no label can be doubted
_AVERAGED = 5  # candidates, where none are put together
_MIN_RECALL = 0.5  # of changed labels; below it wrong labels and hard pictures look alike
_BLIND = "These representations cannot tell wrong labels from hard pictures here."


@dataclass(frozen=True, eq=False)
class ImagesToCheck:
    """What the probabilities say of single images; indices are into the scored images.

    Args:
        table: Out-of-fold probability of each class, (n, C).
        probability: Of the given label of each image.
        other: The most probable other class of each image.
        planted: Labels changed on purpose.
        errors: Labels that may be wrong; none are listed where hard pictures look the same.
        remarkable: Hard and typical pictures, and the most confused pair.
    """

    table: np.ndarray
    probability: np.ndarray
    other: np.ndarray
    planted: Planted
    errors: LabelErrors
    remarkable: Remarkable

    @property
    def blind(self) -> bool:
        """Whether the changed labels were not told from hard pictures."""
        return self.errors.recall < _MIN_RECALL

    @property
    def text(self) -> str:
        """The sentences."""
        first = _BLIND if self.blind else _listing(self.errors, self.planted)
        count = self.planted.changed
        return (
            f"{first} When we changed {count} labels at random, {percent(self.errors.recall)}% of "
            f"them were among the first {3 * count} (mean of {planted.DRAWS} draws)."
        )


class _Judges(NamedTuple):
    """What doubts a label."""

    parts: Sequence[EncodedCandidate]
    table: np.ndarray  # probability of each class
    weighted: bool


def find_suspects(
    dataset: LabelledDataset,
    images: ImageCollection,
    classification: Classification,
    combinations: Sequence[Together],
    progress: Progress,
) -> ImagesToCheck | None:
    """Images to look at; None where the headline says that nothing can be judged.

    Args:
        dataset: The images that were scored.
        images: All images, with their near-duplicates.
        classification: The candidates' results.
        combinations: Of the candidates.
        progress: Called with the step, how much of it is done, and of how much.
    """
    if classification.headline.id in _UNJUDGED:
        return None
    judges = _judges(dataset, classification, combinations)
    if not judges.parts:
        return None
    changed = planted.plant(dataset.labels, dataset.seed)
    table = planted.label_probabilities(
        judges.parts, dataset, changed, weighted=judges.weighted, progress=progress
    )
    every = np.arange(len(dataset))
    probability, others = judges.table[every, dataset.labels], judges.table.copy()
    others[every, dataset.labels] = -1
    counted = ~np.isin(dataset.rows, _conflicting(images))
    order = _path_order(dataset, images)
    errors = label_errors(probability, table, changed.images, counted, order)
    if errors.recall < _MIN_RECALL:
        errors = errors._replace(images=errors.images[:0])
    counted[errors.images] = False  # the others are taken to be right
    copies = images.duplicates.component[dataset.rows]
    return ImagesToCheck(
        table=judges.table,
        probability=probability,
        other=others.argmax(1),
        planted=changed,
        errors=errors,
        remarkable=remarkable.select(judges.table, dataset.labels, order, copies, counted),
    )


def _judges(
    dataset: LabelledDataset,
    classification: Classification,
    combinations: Sequence[Together],
) -> _Judges:
    """The combination of all; else the most accurate candidates."""
    for row in combinations:
        if row.encoded.spec == ALL:
            parts = [part.encoded for part in row.parts]
            return _Judges(parts, row.combination.probabilities, True)
    rivals = _single(dataset, classification)
    rivals.sort(key=lambda pair: -pair[1].accuracy(dataset.labels))
    best = rivals[:_AVERAGED]
    labels, groups = dataset.labels, dataset.groups
    tables = [calibrate(predicted.folds, labels, groups).probabilities for _, predicted in best]
    parts = [encoded for encoded, _ in best]
    return _Judges(parts, np.mean(tables, axis=0) if tables else np.empty(0), False)


def _single(
    dataset: LabelledDataset, classification: Classification
) -> list[tuple[EncodedCandidate, Predictions]]:
    """Candidates of one part, else the parts of sums, without those that are constant.

    What was trained on the labels is left out: labels are changed on purpose after its training.
    """
    untrained = [each for each in classification.encoded if not each.trained]
    encoded = [each for each in untrained if len(each.parts) == 1]
    if not encoded:
        parts = [part for each in untrained for part in each.singles]
        encoded = list({part.spec: part for part in parts}.values())
    judged = [(each, predictions.predict(each, dataset)) for each in encoded]
    return [(each, predicted) for each, predicted in judged if predicted.folds]


def _path_order(dataset: LabelledDataset, images: ImageCollection) -> np.ndarray:
    paths = [images.decoded.items[row].path for row in dataset.rows]
    return np.array(sorted(range(len(paths)), key=paths.__getitem__), np.int64)


def _conflicting(images: ImageCollection) -> np.ndarray:
    """Rows of near-duplicates that carry different labels: that list names them already."""
    ends = [
        (edge.i, edge.j)
        for edge in images.duplicates.edges
        if -1 < images.labels[edge.i] != images.labels[edge.j] > -1
    ]
    return np.unique(np.array(ends, np.int64))


def _listing(errors: LabelErrors, changed: Planted) -> str:
    count, planted_count = len(errors.images), changed.images.size
    than = f"than half of {planted_count} labels that we changed on purpose"
    if not count:
        return f"No label stands out: none fits its picture worse {than}."
    each = "each fits its" if count > 1 else "it fits its"
    first = f"**{several(count, 'label')} to check**: {each} picture worse {than}."
    if not errors.wrong:
        remainder = f"All {count} are probably" if count > 1 else "It is probably"
        return (
            f"{first} No label need be wrong: so few are expected in a clean folder too. "
            f"{remainder} right, and simply hard."
        )
    are = "are" if errors.wrong != 1 else "is"
    estimate = f"We estimate that {several(errors.wrong, 'label')} of this folder {are} wrong"
    if not errors.right:
        return f"{first} {estimate}, {f'these {count}' if count > 1 else 'this one'} among them."
    return (
        f"{first} {estimate}, about {count - errors.right} of them among these {count}. The "
        f"others are probably right: odd pictures, not mistakes."
    )
