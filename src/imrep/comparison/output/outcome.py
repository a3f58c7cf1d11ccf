"""Everything a comparison measured and concluded, ready to be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imrep.comparison.candidates import Absent
from imrep.comparison.conclusions.caption_retrieval import CaptionRetrieval
from imrep.comparison.conclusions.class_names import ByNames
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.cues import Cues
from imrep.comparison.conclusions.multi_label import MultiLabel
from imrep.comparison.conclusions.probabilities import Answered
from imrep.comparison.conclusions.regression import Regression
from imrep.comparison.conclusions.retrieval import Retrieval
from imrep.comparison.conclusions.sizes import SizeComparison
from imrep.comparison.conclusions.suspects import ImagesToCheck
from imrep.comparison.conclusions.together import Together
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.data.multi_label_dataset import MultiLabelDataset
from imrep.comparison.data.own_vectors import OwnVectors
from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.diagnostics.measurements import Measurements
from imrep.comparison.diagnostics.quality import Quality
from imrep.comparison.probes.combination import Combination
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.learning_curve import Point
from imrep.comparison.probes.value_combination import ValueCombination
from imrep.datasets import Dataset

Curve = tuple[EncodedCandidate, Sequence[Point]]


@dataclass(frozen=True)
class Scores:
    """Results that need classes.

    Args:
        dataset: The images that were scored.
        classification: The candidates' results.
        curves: Accuracy with few labels, of the most accurate candidates.
        together: Weighted combinations of the candidates.
        suspects: Images to look at; None where nothing can be judged.
        answers: Of every candidate and combination, with probabilities.
        by_names: Of every candidate that embeds text, by the names of the classes alone.
    """

    dataset: LabelledDataset
    classification: Classification
    curves: Sequence[Curve]
    together: Sequence[Together[Combination]] = ()
    suspects: ImagesToCheck | None = None
    answers: Sequence[Answered] = ()
    by_names: Sequence[ByNames] = ()


@dataclass(frozen=True)
class LabelScores:
    """Results where each image has several labels.

    Args:
        results: The candidates' results.
        curves: Mean average precision with few images, of those that rank best.
        together: Weighted combinations of the candidates.
    """

    results: MultiLabel
    curves: Sequence[Curve]
    together: Sequence[Together[ValueCombination]] = ()


@dataclass(frozen=True)
class ValueScores:
    """Results where each image has a number.

    Args:
        results: The candidates' results.
        curves: Share of the variance explained with few images, of those that explain most.
        together: Weighted combinations of the candidates.
    """

    results: Regression
    curves: Sequence[Curve]
    together: Sequence[Together[ValueCombination]] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Results of a comparison.

    Args:
        source: The data set as it was found.
        images: Its readable images.
        quality: What is odd about these images.
        measurements: Of each candidate, in their order.
        peak_memory: Bytes, by the spec that rebuilds the candidate.
        scores: None where no classes can be scored.
        label_scores: None where no sets of labels can be scored.
        value_scores: None where no numbers can be scored.
        retrieval: None without `--same-object`.
        sizes: None without `--sizes`.
        cues: What the classes hang on; empty where it was not asked for or cannot be said.
        absent: Candidates that were not compared, and why.
        requested: Whether the caller named the representations.
        own: Vectors of the user's, in the order of the images.
        captions: Retrieval of captions, where the images have any; of what embeds text.
    """

    source: Dataset
    images: ImageCollection
    quality: Quality
    measurements: Sequence[Measurements]
    peak_memory: Mapping[str, int]
    scores: Scores | None = None
    label_scores: LabelScores | None = None
    value_scores: ValueScores | None = None
    retrieval: Retrieval | None = None
    sizes: SizeComparison | None = None
    cues: Sequence[Cues] = ()
    absent: Sequence[Absent] = field(default_factory=tuple)
    requested: bool = False
    own: Sequence[OwnVectors] = ()
    captions: Sequence[CaptionRetrieval] = ()

    @property
    def judged(self) -> Classification | MultiLabel | Regression | None:
        """The results that the recommendation is about; None where no target could be scored."""
        if self.label_scores is not None:
            return self.label_scores.results
        if self.value_scores is not None:
            return self.value_scores.results
        return self.scores.classification if self.scores is not None else None

    @property
    def tested(self) -> LabelledDataset | MultiLabelDataset | ValuedDataset | None:
        """The images that were scored; None where no target could be scored."""
        if self.scores is not None:
            return self.scores.dataset
        scores = self.label_scores or self.value_scores
        return scores.results.dataset if scores is not None else None

    @property
    def encoded(self) -> list[EncodedCandidate]:
        """The candidates."""
        return [measured.encoded for measured in self.measurements]

    @property
    def lacks_network(self) -> bool:
        """Whether no pretrained network ran, though the caller left the choice to imrep."""
        ran = any(each.candidate.may_be_pretrained for each in self.encoded)
        return not (self.requested or ran)

    @property
    def failed(self) -> list[Absent]:
        """Candidates that raised an error."""
        return [absent for absent in self.absent if absent.metric == "error"]
