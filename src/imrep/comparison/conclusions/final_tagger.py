"""What was measured of several labels, fitted to all images: saved, and asked about new ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from imrep.comparison.conclusions.final_models import FinalModels, now
from imrep.comparison.conclusions.final_parts import Singles, fit_parts
from imrep.comparison.conclusions.multi_label import MultiLabel
from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.value_combination import fit_value_weights
from imrep.comparison.probes.value_predictions import predict_values
from imrep.comparison.statistics.gain import Gain
from imrep.comparison.statistics.verdict import Standing
from imrep.estimators.platt import fit_sigmoids
from imrep.models.fitted_tagger import FittedTagger, MeasuredRanking


@dataclass(frozen=True, kw_only=True, eq=False)
class Taggers(FinalModels[FittedTagger]):
    """The taggers of a comparison, each fitted when it is asked for.

    Args:
        results: The candidates' results.
    """

    noun = "tagger"

    results: MultiLabel

    @property
    def folded(self) -> FoldedDataset:
        """The images that were scored."""
        return self.results.dataset.valued

    @property
    def subject(self) -> str:
        """What a representation may see of the images."""
        return "the labels"

    def varies(self, single: EncodedCandidate) -> bool:
        """Whether its vectors differ in one of the folds."""
        return bool(predict_values(single, self.results.dataset.valued).folds)

    def fitted(
        self,
        name: str,
        singles: Singles,
        result: Standing | Gain,
        weights: Sequence[float] | None,
    ) -> FittedTagger:
        """Fit to all images, with a sigmoid of the left-out scores of each label.

        Raises:
            BadData: All of its vectors are equal, or it predicts no better than guessing.
        """
        dataset = self.results.dataset
        final = fit_parts(
            name,
            dataset.valued,
            singles,
            lambda left_out, targets: fit_value_weights(left_out, targets, drop=False),
            weights,
        )
        total = final.total
        return FittedTagger(
            spec=name,
            parts=final.parts,
            labels=dataset.names,
            sigmoids=fit_sigmoids(total.left_out, dataset.positives[total.train]),
            usual=final.usual,
            data_range=self.reading.data_range,
            seed=dataset.seed,
            measured=MeasuredRanking(
                precision=result.accuracy,
                lo=result.low,
                hi=result.high,
                guess=self.results.verdict.chance,
                **self.basis,
            ),
            created=now(),
        )
