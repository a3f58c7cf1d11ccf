"""What was measured of a number, fitted to all images: saved, and asked about new ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.comparison.conclusions.final_models import FinalModels, now
from imrep.comparison.conclusions.final_parts import Singles, fit_parts
from imrep.comparison.conclusions.regression import Regression, guess_error, mean_error
from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.value_combination import fit_value_weights
from imrep.comparison.probes.value_predictions import predict_values
from imrep.comparison.statistics.gain import Gain
from imrep.comparison.statistics.verdict import Standing
from imrep.models.fitted_regressor import FittedRegressor, MeasuredNumber


@dataclass(frozen=True, kw_only=True, eq=False)
class Regressors(FinalModels[FittedRegressor]):
    """The regressors of a comparison, each fitted when it is asked for.

    Args:
        results: The candidates' results.
    """

    noun = "regressor"

    results: Regression

    @property
    def folded(self) -> FoldedDataset:
        """The images that were scored."""
        return self.results.dataset

    @property
    def subject(self) -> str:
        """What a representation may see of the images."""
        return self.results.dataset.names[0]

    def varies(self, single: EncodedCandidate) -> bool:
        """Whether its vectors differ in one of the folds."""
        return bool(predict_values(single, self.results.dataset).folds)

    def fitted(
        self,
        name: str,
        singles: Singles,
        result: Standing | Gain,
        weights: Sequence[float] | None,
    ) -> FittedRegressor:
        """Fit to all images, with the errors of those that were left out.

        Raises:
            BadData: All of its vectors are equal, or it predicts no better than guessing.
        """
        dataset = self.results.dataset
        final = fit_parts(
            name,
            dataset,
            singles,
            lambda left_out, targets: fit_value_weights(left_out, targets, drop=False),
            weights,
        )
        targets, sd = final.targets, float(final.targets.scale[0])
        errors = sd * np.abs(targets.values - final.total.left_out)[:, 0]
        return FittedRegressor(
            spec=name,
            parts=final.parts,
            target=dataset.names[0],
            mean=float(targets.centre[0]),
            sd=sd,
            scale=dataset.scale,
            errors=np.sort(errors.astype(np.float64)),
            usual=final.usual,
            data_range=self.reading.data_range,
            seed=dataset.seed,
            measured=MeasuredNumber(
                explained=result.accuracy,
                lo=result.low,
                hi=result.high,
                error=mean_error(dataset, self._centred(result)),
                guess_error=guess_error(dataset),
                **self.basis,
            ),
            created=now(),
        )

    def _centred(self, result: Standing | Gain) -> Float[Array, "n t"]:
        """The out-of-fold predictions that a result was computed from."""
        for row in self.together:
            if row.result is result:
                return row.combination.centred
        standings = self.results.verdict.standings
        index = next(i for i, standing in enumerate(standings) if standing is result)
        return self.results.predictions[index].centred
