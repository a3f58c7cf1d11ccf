"""The classifier that was measured, fitted to all images: what is saved and asked about new ones.

The steps are those of a fold: kernel and penalty by leaving groups out, weights where there are
several parts, the discriminant where it helps, and a temperature.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.final_models import FinalModels, now
from imrep.comparison.conclusions.final_parts import Singles, fit_parts
from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.combination import fit_weights
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.predictions import predict
from imrep.comparison.statistics.gain import Gain
from imrep.comparison.statistics.verdict import Standing
from imrep.estimators.calibration import temperature
from imrep.models.fitted_classifier import FittedClassifier, Measured

_UNIFORM = "uniform"


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifiers(FinalModels[FittedClassifier]):
    """The classifiers of a comparison, each fitted when it is asked for.

    Args:
        dataset: The images that were scored.
        results: The candidates' results.
    """

    noun = "classifier"

    dataset: LabelledDataset
    results: Classification

    @property
    def folded(self) -> FoldedDataset:
        """The images that were scored."""
        return self.dataset

    @property
    def subject(self) -> str:
        """What a representation may see of the images."""
        return "the classes"

    def varies(self, single: EncodedCandidate) -> bool:
        """Whether its vectors differ in one of the folds."""
        return bool(predict(single, self.dataset).folds)

    def fitted(
        self,
        name: str,
        singles: Singles,
        result: Standing | Gain,
        weights: Sequence[float] | None,
    ) -> FittedClassifier:
        """Fit to all images, and calibrate.

        Raises:
            BadData: All of its vectors are equal.
        """
        final = fit_parts(
            name,
            self.dataset,
            singles,
            lambda left_out, targets: fit_weights(left_out, targets, drop=False),
            weights,
        )
        finished = final.total.finish(final.targets)
        calibrated = singles.several and finished.discriminant is None  # by the weights
        factor = 1.0 if calibrated else temperature(finished.left_out, final.targets)
        return FittedClassifier(
            spec=name,
            parts=final.parts,
            classes=self.dataset.classes,
            discriminant=finished.discriminant,
            temperature=factor,
            prior=_UNIFORM,
            log_prior=np.zeros(len(self.dataset.classes)),
            usual=final.usual,
            data_range=self.reading.data_range,
            seed=self.dataset.seed,
            measured=Measured(
                accuracy=result.accuracy,
                lo=result.low,
                hi=result.high,
                guess=self.results.verdict.chance,
                **self.basis,
            ),
            created=now(),
        )
