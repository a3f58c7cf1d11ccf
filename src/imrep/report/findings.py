"""The rows of one run, looked up by kind, metric, spec and detail."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from imrep.report.short_names import short_names
from imrep.results import Row

Standing = Literal["pick", "tied", "other", "together", "zeroshot", "control"]
PERTURBATIONS = {  # of specs/compare.md section 8
    "shift": "shifted right and down by 1/16 of the side",
    "rotate": "rotated by 10°",
    "zoom": "enlarged by a factor of 1.2",
    "darker": "brightness times 0.6",
    "contrast": "contrast times 0.5",
    "blur": "Gaussian blur, sigma 1/48 of the side",
    "jpeg": "compressed as JPEG of quality 20",
    "noise": "Gaussian noise, standard deviation 20 of 255",
    "occlude": "a gray square of 0.35 of the side at a random position",
}
CONTROLS = {  # by a word in their names; the first match counts
    "bytes": "the number of bytes of the file, and of bytes per pixel",
    "noise": "64 random numbers. A score above guessing means that something leaks the labels",
    "frame": "the outer 8 % of the image",
    "file": "the size, format and compression of the file",
}
MEASURES = {  # metric of the scores: its name in prose
    "probe": "accuracy",  # of classes
    "r2": "R²",  # of numbers
    "precision": "mean average precision",  # of several labels
    "retrieval": "mean average precision",  # of images of the same object
}
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("sentence", "text", "leader", "data", "command", "save"), ""),
    **dict.fromkeys(("warnings", "notes", "equals"), ()),
    **dict.fromkeys(("q", "gap", "margin", "guess"), None),
}
_DEMONSTRATION = "built-in photographs"


@dataclass(frozen=True)
class Findings:
    """The results of one run.

    Args:
        rows: Of one `results.jsonl`, a single verdict among them.
    """

    rows: Sequence[Row]

    def row(self, kind: str, metric: str, spec: str = "", detail: str = "") -> Row | None:
        """The row of this kind, metric, spec and detail, or None."""
        return self._index.get((kind, metric, spec, detail))

    def value(self, kind: str, metric: str, spec: str = "", detail: str = "") -> float | None:
        """The number of that row, or None."""
        row = self.row(kind, metric, spec, detail)
        return None if row is None else row.value

    def details(self, kind: str, metric: str, spec: str | None = None) -> list[str]:
        """The distinct details of such rows (perturbations, classes, sizes), in their order."""
        rows = (row for row in self.rows if (row.kind, row.metric) == (kind, metric))
        return list(dict.fromkeys(str(r.detail) for r in rows if spec is None or r.spec == spec))

    def measured(self, kind: str, metric: str) -> list[str]:
        """Contenders that have such a row, in the table's order."""
        specs = {r.spec for r in self.rows if (r.kind, r.metric) == (kind, metric)}
        return [spec for spec in self.contenders if spec in specs]

    @cached_property
    def _index(self) -> dict[tuple[str, str, str, str], Row]:
        return {(r.kind, r.metric, r.spec, str(r.detail)): r for r in self.rows}

    @cached_property
    def meta(self) -> Row:
        """The verdict's row: run, data, seed, machine are the same in every row."""
        return next(row for row in self.rows if row.kind == "verdict")

    @cached_property
    def verdict(self) -> dict[str, Any]:
        """The verdict's detail (see results.py); a missing key has an empty value."""
        detail = self.meta.detail if isinstance(self.meta.detail, dict) else {}
        return {**_EMPTY, **detail}

    @cached_property
    def measure(self) -> str:
        """What ranks the contenders, the first of `MEASURES` that was taken; or "" (nothing)."""
        metrics = {row.metric for row in self.rows if row.kind == "accuracy"}
        return next((name for name in MEASURES if name in metrics), "")

    @property
    def labelled(self) -> bool:
        """Whether classes could be scored."""
        return self.measure == "probe"

    @property
    def predicted(self) -> bool:
        """Whether classes, or what else the images are labelled with, were predicted."""
        return self.measure not in ("retrieval", "")

    @property
    def score(self) -> str:
        """The measure's name in prose."""
        return MEASURES.get(self.measure, "accuracy")

    @property
    def linear_score(self) -> str:
        """Heading of the same score by a linear classifier."""
        return {"probe": "linear accuracy", "r2": "linear R²"}.get(self.measure, "linear")

    @cached_property
    def sizes(self) -> list[int]:
        """Sides, px, of the squares at which the contenders' main figures were measured."""
        return sorted({row.S for row in self.rows if (row.kind, row.metric) == ("cost", "ms")})

    @cached_property
    def contenders(self) -> list[str]:
        """Specs that ran, in descending accuracy; by name where nothing is ranked."""
        ran = [s for s in self._specs("contender", "sum", "own") if s not in self._errors]
        accuracy = {spec: self.value("accuracy", self.measure, spec) for spec in ran}
        return sorted(ran, key=lambda spec: (-(accuracy[spec] or 0), spec))

    @cached_property
    def own(self) -> frozenset[str]:
        """Those of the contenders that are vectors of the user's own."""
        return frozenset(self._specs("own"))

    @cached_property
    def combined(self) -> list[str]:
        """Weighted combinations of contenders: scored beside them, never ranked among them."""
        return self._specs("together")

    @cached_property
    def by_names(self) -> list[Row]:
        """Scores by the names of the classes alone, of what embeds text."""
        return [row for row in self.rows if (row.kind, row.metric) == ("accuracy", "zeroshot")]

    @cached_property
    def controls(self) -> list[str]:
        """Codes that do not depend on what the image shows, in the order of the run."""
        return self._specs("control")

    @cached_property
    def failed(self) -> list[Row]:
        """Representations that did not run, with the reason as detail."""
        return [row for row in self.rows if row.kind == "failed"]

    @cached_property
    def _errors(self) -> set[str]:
        return {row.spec for row in self.failed}

    def _specs(self, *roles: str) -> list[str]:
        specs = (row.spec for row in self.rows if row.role in roles and row.kind != "verdict")
        return list(dict.fromkeys(filter(None, specs)))

    @property
    def demonstration(self) -> bool:
        """Whether the images are the built-in photographs, not a folder of the reader's."""
        return self.meta.data_name == _DEMONSTRATION

    @property
    def pick(self) -> str:
        """The recommended spec, or empty."""
        return self.meta.spec

    @property
    def pick_note(self) -> str:
        """The words that mark the pick."""
        return "the only one" if self.verdict["sentence"] == "one" else "recommended"

    @property
    def leader(self) -> str:
        """The most accurate spec, or empty."""
        return str(self.verdict["leader"])

    @property
    def guess(self) -> float | None:
        """Accuracy of guessing, or None without labels."""
        guess: float | None = self.verdict["guess"]
        return guess

    def standing(self, spec: str) -> Standing:
        """The group that gives a spec its colour on the page."""
        if spec in self.controls:
            return "control"
        if spec in self.combined:
            return "together"
        if spec == self.pick:
            return "pick"
        return "tied" if self.pick and spec in self.verdict["equals"] else "other"

    @cached_property
    def short(self) -> dict[str, str]:
        """Spec -> the shortest name that distinguishes it from the other specs of this run."""
        return short_names([*self.contenders, *self.combined, *self.controls])
