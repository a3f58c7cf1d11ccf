"""What was measured, fitted to all images when it is asked for: for prediction, and to be saved."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from imrep import factory
from imrep.adapters import Wrapped
from imrep.comparison.candidates import Candidate
from imrep.comparison.conclusions.final_parts import Singles, framed, identity
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.conclusions.together import Together
from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics.gain import Gain
from imrep.comparison.statistics.verdict import Standing, Verdict
from imrep.errors import BadData, BadParameter, ImrepError
from imrep.images import Reading
from imrep.models.fitted_model import FittedModel
from imrep.results import PROTOCOL

M = TypeVar("M", bound=FittedModel)


class Judged(Protocol):
    """The results of the candidates."""

    @property
    def encoded(self) -> Sequence[EncodedCandidate]:
        """The candidates."""

    @property
    def verdict(self) -> Verdict:
        """Their standings."""

    @property
    def pick(self) -> int | None:
        """Index of the recommended one."""

    @property
    def headline(self) -> Sentence:
        """The first sentence."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FinalModels(ABC, Generic[M]):
    """The models of a comparison, each fitted when it is asked for.

    Args:
        results: Those of the candidates.
        together: Combinations of the candidates.
        reading: How files became pixels.
        data_name: Name of the data set.
        left_out: Names of the classes or labels that could not be tested.
    """

    noun: ClassVar[str]
    """What a model is called in sentences."""

    results: Judged
    together: Sequence[Together]
    reading: Reading
    data_name: str
    left_out: Sequence[str] = ()
    _by_name: dict[str, M] = field(default_factory=dict, init=False, repr=False)

    @property
    @abstractmethod
    def folded(self) -> FoldedDataset:
        """The images that were scored."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What a representation may see of the images."""

    @abstractmethod
    def varies(self, single: EncodedCandidate) -> bool:
        """Whether its vectors differ in one of the folds."""

    @abstractmethod
    def fitted(
        self,
        name: str,
        singles: Singles,
        result: Standing | Gain,
        weights: Sequence[float] | None,
    ) -> M:
        """Fit to all images.

        Args:
            name: Of the model.
            singles: Its parts.
            result: What was measured of it.
            weights: Of its parts, where they are fitted already.

        Raises:
            BadData: All of its vectors are equal.
        """

    @property
    def names(self) -> list[str]:
        """The specs of all, combinations last."""
        return [row.spec for row in (*self.results.encoded, *(r.encoded for r in self.together))]

    @property
    def pick(self) -> str:
        """The recommended spec; "" where nothing is recommended."""
        index = self.results.pick
        return "" if index is None else self.results.encoded[index].spec

    @property
    def reason(self) -> str:
        """Why nothing is recommended."""
        return {
            "noise": "something leaks the labels.",
            "too few": "there are too few images to decide.",
            "none": f"no representation is shown to see {self.subject}.",
        }.get(self.results.headline.id, "")

    def fit(self, name: str = "") -> M:
        """The model of this name, or of the pick.

        Raises:
            BadParameter: There is none of that name, or nothing is recommended.
            BadData: All of its vectors are equal, or they are no longer in the cache.
        """
        name = name or self.pick
        if not name:
            listed = ", ".join(self.names)
            raise BadParameter(
                f"a {self.noun} needs a choice: {self.reason} Name one of: {listed}."
            )
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
        for encoded in self.results.encoded:
            if any(isinstance(part.rep, Wrapped) for part in encoded.parts):
                with suppress(BadData):  # equal vectors; said when it is asked for
                    self.fit(encoded.spec)

    def _fit(self, name: str) -> M:
        for row in self.together:
            if row.encoded.spec == name:
                parts = [part for part in row.parts if self.varies(part.encoded)]
                pairs = framed([part.encoded for part in parts], None, self.reading)
                singles = Singles(pairs, several=len(row.parts) > 1)
                return self.fitted(name, singles, row.result, [part.factor for part in parts])
        standings = self.results.verdict.standings
        for encoded, standing in zip(self.results.encoded, standings, strict=True):
            if encoded.spec == name:
                _refuse_trained(encoded)
                varying = [single for single in encoded.singles if self.varies(single)]
                pairs = framed(varying, encoded, self.reading)
                display = "+".join(identity(part.rep) for part in encoded.parts)
                singles = Singles(pairs, several=len(encoded.parts) > 1)
                return self.fitted(display, singles, standing, None)
        raise BadParameter(unknown(name, self.names, f"a {self.noun}"))

    @property
    def basis(self) -> dict[str, Any]:
        """What the measures rest on."""
        own = self.folded
        return {
            "n": len(own),
            "groups": len(np.unique(own.groups)),
            "folds": own.folds.k,
            "protocol": PROTOCOL,
            "data": self.data_name,
        }


def _refuse_trained(encoded: EncodedCandidate) -> None:
    """Refuse what has learned the labels: no image is left whose scores tell how sure it is."""
    if encoded.trained:
        raise BadParameter(
            f"saving needs vectors that were made without these labels, got {encoded.spec}, "
            "which was trained on them. Save another, or compare it with weights=FOLDER, trained "
            "on other images."
        )


def now() -> str:
    """The time, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


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


def unknown(name: str, names: Sequence[str], caller: str = "saving") -> str:
    """The message for a name that nothing has."""
    return f"{caller} needs one of those compared, got {name!r}. Choose: {', '.join(names)}."
