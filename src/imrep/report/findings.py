"""The rows of one run, looked up by what they say: the only way the page reaches a number."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from imrep.results import Row

Standing = Literal["pick", "equal", "rest", "control"]
PERTURBATIONS = {  # names of the protocol's section 8, in words
    "shift": "shifted by a sixteenth",
    "rotate": "turned by 10°",
    "zoom": "enlarged by a fifth",
    "darker": "at 0.6 of its brightness",
    "contrast": "at half its contrast",
    "blur": "blurred a little",
    "jpeg": "saved as JPEG of quality 20",
    "noise": "with noise of 20 levels",
    "occlude": "with a grey square over it",
}
CONTROLS = {  # by a word in their names, the first that fits
    "bytes": "only how many bytes the file has, and a pixel of it takes",
    "noise": "64 random numbers; above guessing only if something leaks the labels",
    "frame": "only the outer 8 % of the picture",
    "file": "only the size, format and compression of the file",
}
_SILENT: dict[str, Any] = {
    **dict.fromkeys(("sentence", "text", "leader", "command"), ""),
    **dict.fromkeys(("warnings", "notes", "equals"), ()),
    **dict.fromkeys(("q", "gap", "margin", "guess"), None),
}
_SPLIT = re.compile(r",(?=(?:[^']*'[^']*')*[^']*$)")  # commas outside quotes


@dataclass(frozen=True)
class Findings:
    """What one run found.

    Args:
        rows: Of one `results.jsonl`, a single verdict among them.
    """

    rows: Sequence[Row]

    def row(self, kind: str, metric: str, spec: str = "", detail: str = "") -> Row | None:
        """The row that says this, or None."""
        return self._index.get((kind, metric, spec, detail))

    def value(self, kind: str, metric: str, spec: str = "", detail: str = "") -> float | None:
        """Its number, or None."""
        found = self.row(kind, metric, spec, detail)
        return None if found is None else found.value

    def details(self, kind: str, metric: str, spec: str | None = None) -> list[str]:
        """The details of such rows (perturbations, classes, sides), each once, as they come."""
        found = (row for row in self.rows if (row.kind, row.metric) == (kind, metric))
        return list(dict.fromkeys(str(r.detail) for r in found if spec is None or r.spec == spec))

    def having(self, kind: str, metric: str) -> list[str]:
        """Contenders of which such a row exists, in the table's order."""
        known = {r.spec for r in self.rows if (r.kind, r.metric) == (kind, metric)}
        return [spec for spec in self.contenders if spec in known]

    @cached_property
    def _index(self) -> dict[tuple[str, str, str, str], Row]:
        return {(r.kind, r.metric, r.spec, str(r.detail)): r for r in self.rows}

    @cached_property
    def meta(self) -> Row:
        """The verdict's row: run, data, seed, machine are the same in every row."""
        return next(row for row in self.rows if row.kind == "verdict")

    @cached_property
    def verdict(self) -> dict[str, Any]:
        """The verdict's detail (see results.py), what it leaves out being empty."""
        detail = self.meta.detail if isinstance(self.meta.detail, dict) else {}
        return {**_SILENT, **detail}

    @cached_property
    def measure(self) -> str:
        """What ranks the contenders: "probe" (classes), "retrieval" (objects), or "" (nothing)."""
        there = {row.metric for row in self.rows if row.kind == "accuracy"}
        return next((name for name in ("probe", "retrieval") if name in there), "")

    @property
    def labelled(self) -> bool:
        """Whether classes could be scored."""
        return self.measure == "probe"

    @property
    def score(self) -> str:
        """What the measure is called."""
        return "mean average precision" if self.measure == "retrieval" else "accuracy"

    @cached_property
    def sides(self) -> list[int]:
        """Sides in pixels of the squares that the contenders' main figures were measured at."""
        return sorted({row.S for row in self.rows if (row.kind, row.metric) == ("cost", "ms")})

    def side(self, spec: str) -> int | None:
        """The side that a contender's main figures were measured at."""
        found = self.row("cost", "ms", spec)
        return None if found is None else found.S

    @cached_property
    def contenders(self) -> list[str]:
        """Specs that ran, most accurate first; by name where nothing is ranked."""
        ran = [s for s in self._specs("contender", "sum") if s not in self._errors]
        accuracy = {spec: self.value("accuracy", self.measure, spec) for spec in ran}
        return sorted(ran, key=lambda spec: (-(accuracy[spec] or 0), spec))

    @cached_property
    def controls(self) -> list[str]:
        """What cannot see the image, in the order of the run."""
        return self._specs("control")

    @cached_property
    def failed(self) -> list[Row]:
        """Representations that did not run, with the reason as detail."""
        return [row for row in self.rows if row.kind == "failed"]

    @cached_property
    def _errors(self) -> set[str]:
        return {row.spec for row in self.failed}

    def _specs(self, *roles: str) -> list[str]:
        named = (row.spec for row in self.rows if row.role in roles and row.kind != "verdict")
        return list(dict.fromkeys(filter(None, named)))

    @property
    def pick(self) -> str:
        """The recommended spec, or empty."""
        return self.meta.spec

    @property
    def praise(self) -> str:
        """What the pick is called."""
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
        """Which of the four colours a spec has everywhere on the page."""
        if spec in self.controls:
            return "control"
        if spec == self.pick:
            return "pick"
        return "equal" if self.pick and spec in self.verdict["equals"] else "rest"

    @cached_property
    def short(self) -> dict[str, str]:
        """Spec -> the shortest words that tell it from the other specs of this run."""
        specs = [*self.contenders, *self.controls]
        parts = {part for spec in specs for part in _views(spec)}
        count = Counter(map(_brief, parts))
        said = {part: _brief(part, more=count[_brief(part)] > 1) for part in parts}
        return {spec: " + ".join(said[part] for part in _views(spec)) for spec in specs}


def _views(spec: str) -> list[str]:
    return re.split(r"\+(?=(?:[^']*'[^']*')*[^']*$)", spec)


def _brief(part: str, more: bool = False) -> str:
    """`hog`; with its architecture a network; with `more`, beside another hog, `hog cell=4`."""
    name, _, rest = part.partition(":")
    pairs = [p.partition("=")[::2] for p in _SPLIT.split(rest)] if rest else []
    telling = [value for key, value in pairs if key in ("arch", "model")]
    random = ["(random)"] if ("weights", "random") in pairs else []
    others = [
        f"{key}={value}"
        for key, value in pairs
        if key not in ("arch", "model") and (key, value) != ("weights", "random")
    ]
    return " ".join([name, *telling, *random, *(others if more else [])])
