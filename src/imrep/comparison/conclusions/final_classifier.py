"""The classifier that was measured, fitted to all images: what is saved and asked about new ones.

The steps are those of a fold: kernel and penalty by leaving groups out, weights where there are
several parts, the discriminant where it helps, and a temperature.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from imrep import factory
from imrep.adapters import MadeOutside, Wrapped
from imrep.base import Representation
from imrep.comparison.candidates import Candidate
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.together import Together
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.combination import fit_weights, weighted_sum
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.final_fit import FinalFit, fit_final, kernels, training
from imrep.comparison.probes.predictions import predict
from imrep.comparison.probes.scores import FoldScores
from imrep.comparison.statistics.gain import Gain
from imrep.comparison.statistics.verdict import Standing
from imrep.errors import BadData, BadParameter, ImrepError
from imrep.estimators.calibration import temperature
from imrep.estimators.kernels import STANDARDISED
from imrep.estimators.neighbourhood import Neighbourhood, threshold
from imrep.estimators.predictor import Predictor
from imrep.images import Reading
from imrep.models.fitted_classifier import FittedClassifier, Frame, Measured, Part
from imrep.results import PROTOCOL

_UNIFORM = "uniform"


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifiers:
    """The classifiers of a comparison, each fitted when it is asked for.

    Args:
        dataset: The images that were scored.
        classification: The candidates' results.
        together: Combinations of them.
        reading: How files became pixels.
        data_name: Name of the data set.
        left_out: Names of the classes that could not be tested.
    """

    dataset: LabelledDataset
    classification: Classification
    together: Sequence[Together]
    reading: Reading
    data_name: str
    left_out: Sequence[str] = ()
    _by_name: dict[str, FittedClassifier] = field(default_factory=dict, init=False, repr=False)

    @property
    def names(self) -> list[str]:
        """The specs of all, combinations last."""
        rows = [*self.classification.encoded, *(row.encoded for row in self.together)]
        return [row.spec for row in rows]

    @property
    def pick(self) -> str:
        """The recommended spec; "" where nothing is recommended."""
        index = self.classification.pick
        return "" if index is None else self.classification.encoded[index].spec

    @property
    def reason(self) -> str:
        """Why nothing is recommended."""
        return _REASONS.get(self.classification.headline.id, "")

    def fit(self, name: str = "") -> FittedClassifier:
        """The classifier of this name, or of the pick.

        Raises:
            BadParameter: There is none of that name, or nothing is recommended.
            BadData: All of its vectors are equal, or they are no longer in the cache.
        """
        name = name or self.pick
        if not name:
            listed = ", ".join(self.names)
            raise BadParameter(f"a classifier needs a choice: {self.reason} Name one of: {listed}.")
        if name not in self._by_name:
            try:
                self._by_name[name] = self._fit(name)
            except FileNotFoundError as error:
                raise BadData(
                    f"{name} needs its vectors in the cache, got none. Compare again."
                ) from error
        return self._by_name[name]

    def fit_objects(self) -> None:
        """Fit those of the caller's functions and modules, whose vectors are not kept."""
        for encoded in self.classification.encoded:
            if any(isinstance(part.rep, Wrapped) for part in encoded.parts):
                with suppress(BadData):  # equal vectors; said when it is asked for
                    self.fit(encoded.spec)

    def _fit(self, name: str) -> FittedClassifier:
        for row in self.together:
            if row.encoded.spec == name:
                parts = [part.encoded for part in row.parts]
                weights = [part.factor for part in row.parts]
                return self._fitted(name, parts, _frames(parts, self.reading), row.result, weights)
        pairs = zip(self.classification.encoded, self.classification.verdict.standings, strict=True)
        for encoded, standing in pairs:
            if encoded.spec == name:
                frames = [_frame(part.side, encoded, self.reading) for part in encoded.parts]
                return self._fitted(_display(encoded), encoded.singles, frames, standing)
        raise BadParameter(unknown(name, self.names))

    def _fitted(
        self,
        name: str,
        singles: Sequence[EncodedCandidate],
        frames: Sequence[Frame],
        result: Standing | Gain,
        weights: Sequence[float] | None = None,
    ) -> FittedClassifier:
        dataset = self.dataset
        train, targets = training(dataset)
        varied = [i for i, each in enumerate(singles) if predict(each, dataset).folds]
        if not varied:
            raise BadData(f"{name} gives every image the same vector. Save another one.")
        finals = [fit_final(singles[i], dataset) for i in varied]
        left_out = [final.model.left_out for final in finals]
        factors = np.ones(1)
        if len(singles) > 1:
            factors = fit_weights(left_out, targets, drop=False)
        if weights is not None:
            factors = np.array([weights[i] for i in varied])
        empty = (train[:0], left_out[0][:0])
        scores = [FoldScores(train, own, *empty) for own in left_out]
        total = scores[0] if len(singles) == 1 else weighted_sum(scores, factors)
        finished = total.finish(targets)
        calibrated = len(singles) > 1 and finished.discriminant is None  # by the weights
        factor = 1.0 if calibrated else temperature(finished.left_out, targets)
        parts, distances = [], np.zeros(len(train))
        for i, final, weight in zip(varied, finals, factors, strict=True):
            part, own = _part(singles[i], dataset, final, frames[i], float(weight))
            parts.append(part)
            distances += weight / factors.sum() * own
        return FittedClassifier(
            spec=name,
            parts=tuple(parts),
            classes=dataset.classes,
            discriminant=finished.discriminant,
            temperature=factor,
            prior=_UNIFORM,
            log_prior=np.zeros(len(dataset.classes)),
            usual=threshold(distances) or 1.0,
            data_range=self.reading.data_range,
            seed=dataset.seed,
            measured=self._measured(result),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _measured(self, result: Standing | Gain) -> Measured:
        dataset = self.dataset
        return Measured(
            accuracy=result.accuracy,
            lo=result.low,
            hi=result.high,
            guess=self.classification.verdict.chance,
            n=len(dataset),
            groups=len(np.unique(dataset.groups)),
            folds=dataset.folds.k,
            protocol=PROTOCOL,
            data=self.data_name,
        )


def check_choice(name: str, candidates: Sequence[Candidate], combinations: Sequence[str]) -> str:
    """The name of a candidate or combination as tables have it, checked before any work is done.

    Args:
        name: As it was typed: a spec, or the name of a combination.
        candidates: What is compared.
        combinations: Names of combinations.

    Raises:
        BadParameter: Nothing that is compared is called so.
    """
    forms = {name.lower(), _shortest(name)} - {""}
    for candidate in candidates:
        if not forms.isdisjoint((candidate.spec.lower(), candidate.rebuild_spec.lower())):
            return candidate.spec
    if name.lower() in combinations:
        return name.lower()
    raise BadParameter(unknown(name, [*(each.spec for each in candidates), *combinations]))


def _shortest(name: str) -> str:
    """The spec in its shortest form; "" where it is none, or cannot be built here."""
    try:
        return factory.get(name).spec.lower()
    except ImrepError:
        return ""


def unknown(name: str, names: Sequence[str]) -> str:
    """The message for a name that nothing has."""
    return f"a classifier needs one of those compared, got {name!r}. Choose: {', '.join(names)}."


_REASONS = {
    "noise": "something leaks the labels.",
    "too few": "there are too few images to decide.",
    "none": "no representation is shown to see the classes.",
}


def _part(
    encoded: EncodedCandidate,
    dataset: LabelledDataset,
    final: FinalFit,
    frame: Frame,
    weight: float,
) -> tuple[Part, np.ndarray]:
    """The part, and the distance of each training image to those of other groups."""
    among, model = kernels(encoded, dataset), final.model
    predictor = Predictor.of(among, final.train, model)
    rows = predictor.rows
    if model.kernel != STANDARDISED:  # half precision, since they serve distances alone
        rows = among.features(STANDARDISED, final.train).astype(np.float16)
    neighbourhood, distances = Neighbourhood.of(rows, dataset.groups[final.train])
    rep = encoded.parts[0].rep
    own = isinstance(rep, MadeOutside)
    part = Part(
        spec=identity(rep),
        rep=None if own else rep,
        fingerprint="" if own else rep.fingerprint,
        frame=frame,
        weight=weight,
        penalty=model.penalty,
        predictor=predictor,
        neighbourhood=neighbourhood,
    )
    return part, distances


def identity(rep: Representation) -> str:
    """The representation's spec with a digest in place of a path of the user's."""
    return rep.spec if isinstance(rep, MadeOutside | Wrapped) else rep._identity()


def _display(encoded: EncodedCandidate) -> str:
    return "+".join(identity(part.rep) for part in encoded.parts)


def _frame(side: int, encoded: EncodedCandidate, reading: Reading) -> Frame:
    own = encoded.candidate.framed(reading)
    return Frame(side, own.crop, own.resampling)


def _frames(parts: Sequence[EncodedCandidate], reading: Reading) -> list[Frame]:
    return [_frame(part.side, part, reading) for part in parts]
