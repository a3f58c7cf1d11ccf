"""What every representation answers for each image out of fold, with calibrated probabilities."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.together import Together
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.calibrated import Calibrated, calibrate
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.types import Progress


class Answered(NamedTuple):
    """The answers of one candidate or combination.

    Attributes:
        encoded: The candidate.
        classes: Class of each image, by what has not seen its group.
        calibrated: The probabilities of all classes.
    """

    encoded: EncodedCandidate
    classes: np.ndarray
    calibrated: Calibrated


def answer(
    dataset: LabelledDataset,
    classification: Classification,
    combinations: Sequence[Together],
    progress: Progress,
) -> tuple[Answered, ...]:
    """The answers of all candidates in their order, then those of the combinations.

    Args:
        dataset: The images that were scored.
        classification: The candidates' results.
        combinations: The weighted combinations.
        progress: Called with the step, how much of it is done, and of how much.
    """
    answers, count = [], len(classification.encoded)
    pairs = zip(classification.encoded, classification.predictions, strict=True)
    for done, (encoded, predicted) in enumerate(pairs):
        progress("probabilities", done, count)
        weighted = len(encoded.parts) > 1  # a sum is judged by its parts' scores
        calibrated = calibrate(predicted.folds, dataset.labels, dataset.groups, weighted=weighted)
        answers.append(Answered(encoded, predicted.probe, calibrated))
    for row in combinations:
        made = row.combination
        calibrated = Calibrated(made.probabilities, made.temperature)
        answers.append(Answered(row.encoded, made.probe, calibrated))
    return tuple(answers)
