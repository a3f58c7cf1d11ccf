"""`Comparison`: what `compare` returns."""

import csv
import html
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrep import answers, results
from imrep.comparison.conclusions.phrases import percent_range
from imrep.errors import BadData, BadParameter
from imrep.io.frames import data_frame
from imrep.results import Row

if TYPE_CHECKING:
    from pandas import DataFrame

    from imrep.api.image_classifier import ImageClassifier
    from imrep.api.image_regressor import ImageRegressor
    from imrep.api.image_tagger import ImageTagger
    from imrep.comparison.conclusions.final_models import FinalModels
    from imrep.comparison.output.saving import Saving


@dataclass(frozen=True)
class Comparison:
    """The outcome of `compare`: a sentence, a table, and where the report is.

    Args:
        folder: Holds `index.html`, `results.jsonl`, `answers.parquet`, `assets/`, `pick/` (the
            recommended representation, for `imrep.load`), `skipped.csv`, `near_duplicates.csv`,
            `pictures.csv` and `suspects.csv`.
    """

    folder: Path
    _models: "FinalModels | None" = field(default=None, repr=False, compare=False)
    _saving: "Saving | None" = field(default=None, repr=False, compare=False)

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every number, as results.jsonl holds it."""
        return tuple(results.read(self.folder / results.FILENAME))

    @property
    def verdict(self) -> dict[str, Any]:
        """The sentence with its parts: text, warnings, notes, leader, equals, gap, command."""
        verdict = next(row.detail for row in self.rows if row.kind == "verdict")
        assert isinstance(verdict, dict)
        return verdict

    @property
    def pick(self) -> str:
        """The recommended spec, or "" where none can be named."""
        return next(row.spec for row in self.rows if row.kind == "verdict")

    @property
    def sentence(self) -> str:
        """The verdict in a sentence, without its bold marks."""
        return str(self.verdict["text"]).replace("**", "")

    @property
    def skipped(self) -> int:
        """Files that could not be read; skipped.csv names them."""
        return int(next(row.value or 0 for row in self.rows if row.metric == "skipped"))

    @property
    def absent(self) -> dict[str, str]:
        """Representations that lack weights or a package, and how to add them."""
        metrics = ("weights", "extra")
        return {row.spec: str(row.detail) for row in self.rows if row.metric in metrics}

    @property
    def saved(self) -> Path | None:
        """The folder of the saved model, None where none was saved; `saved_text` says why."""
        return self._saving.folder if self._saving else None

    @property
    def saved_text(self) -> str:
        """What became of `save`, in a sentence; "" without it."""
        return self._saving.text if self._saving else ""

    def classifier(self, which: str = "") -> "ImageClassifier":
        """The classifier that was measured, fitted to all images that were scored.

        Args:
            which: A spec that was compared, or "together"; "" for the recommended one.

        Raises:
            BadParameter: Nothing is recommended, nothing is called so, or this comparison was read
                from a folder.
        """
        from imrep.api.image_classifier import ImageClassifier

        model = self.model(which)
        if not isinstance(model, ImageClassifier):
            raise BadParameter("classifier needs images with classes, got others. Try model().")
        return model

    def model(self, which: str = "") -> "ImageClassifier | ImageRegressor | ImageTagger":
        """What was measured, fitted to all images that were scored: of classes, numbers or labels.

        Args:
            which: A spec that was compared, or "together"; "" for the recommended one.

        Raises:
            BadParameter: Nothing is recommended, nothing is called so, or this comparison was read
                from a folder.
        """
        from imrep.api import saved_model
        from imrep.comparison.conclusions.final_models import check_choice

        if self._models is None:
            raise BadParameter(
                "model needs classes, numbers or labels that this session's `compare` scored, got "
                f"{self.folder}. Compare with save='model/', then imrep.load_model('model/')."
            )
        encoded = self._models.results.encoded
        combinations = [row.encoded.spec for row in self._models.together]
        if which:
            which = check_choice(which, [each.candidate for each in encoded], combinations)
        return saved_model.of(self._models.fit(which))

    def table(self) -> list[dict[str, Any]]:
        """A row per representation, best first, as a dictionary; then what is put together.

        Its keys are spec, role (contender, sum, own or together), accuracy, precision, r2, lo, hi,
        error, by, linear, knn, object, kept, moves, ms and bytes, without those that were not
        measured. Where an image has several labels, `precision`, the mean average precision, stands
        in place of `accuracy`. Where it has a number, `r2` does, the share of the number's variance
        that is explained; `error` is the mean absolute error in its unit, with `log` a factor. `by`
        is the kernel that the ridge behind these chose, "parts" for a sum, which weighs its parts'
        scores; `linear` is the same score of a linear one, and `knn` that of the nearest
        neighbours. `object` is the mean average precision of `same_object`, with object_lo and
        object_hi.

        Where the images have captions, `text_to_image` and `image_to_text` are the shares of
        captions whose image is the most similar, and of images one of whose captions is.

        What embeds text has another row of the role zeroshot, "SPEC by class names": its accuracy
        without any labels; `names` is "numbers" where the names of the classes say nothing.
        """
        by_spec: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            if row.role in _ROLES:
                line = by_spec.setdefault(row.spec, {"spec": row.spec, "role": row.role})
                name = _COLUMNS.get((row.kind, row.metric))
                if name in _RECALLS and row.detail:  # among the first five or ten
                    continue
                if name:
                    line[name] = row.detail if name == "by" else row.value
                if name in ("accuracy", "precision", "r2"):
                    line["lo"], line["hi"] = row.lo, row.hi
                if name == "object":
                    line["object_lo"], line["object_hi"] = row.lo, row.hi
        lines = [*by_spec.values(), *self._by_names(by_spec)]
        return sorted(
            lines,
            key=lambda line: (
                line["role"] in ("together", "zeroshot"),  # no rivals of the others
                line["role"] == "zeroshot",
                -next((line[name] for name in _SCORES if name in line), 0.0),
                line["spec"],
            ),
        )

    def _by_names(self, by_spec: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """A row per representation that was scored by the names of the classes."""
        rows = [row for row in self.rows if row.metric == "zeroshot"]
        costs = ("ms", "bytes")
        return [
            {"spec": f"{row.spec} by class names", "role": "zeroshot", "accuracy": row.value}
            | {"lo": row.lo, "hi": row.hi, "names": row.detail}
            | {name: by_spec[row.spec][name] for name in costs if name in by_spec[row.spec]}
            for row in rows
        ]

    def by_size(self) -> list[dict[str, Any]]:
        """A row per representation and size of `sizes`, as a dictionary; empty without `sizes`.

        Its keys are spec, size and ms; the score, called accuracy, precision, r2 or object as in
        `table`, with lo and hi; and, except at the comparison's own size, gain, gain_lo and
        gain_hi: the score minus that at the own size, the intervals of one representation valid
        together.
        """
        lines: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self.rows:
            if (name := _SIZE_COLUMNS.get((row.kind, row.metric))) is None:
                continue
            key = (row.spec, str(row.detail))
            line = lines.setdefault(key, {"spec": row.spec, "size": int(key[1])})
            line[name] = row.value
            if name != "ms":
                prefix = "gain_" if name == "gain" else ""
                line[f"{prefix}lo"], line[f"{prefix}hi"] = row.lo, row.hi
        return list(lines.values())

    @property
    def odd(self) -> int:
        """Images that look odd; pictures.csv names them."""
        return int(next((row.value or 0 for row in self.rows if row.metric == "odd"), 0))

    def pictures(self) -> list[dict[str, Any]]:
        """A row per image and issue, as a dictionary, sorted by path; empty where none is odd.

        Its keys are path; issue, one of dark, bright, blurred, uniform, size, aspect, gray,
        duplicate and conflict (a near-duplicate with another label); the value that was measured;
        its threshold; and other, the path of the near-duplicate.
        """
        path = self.folder / "pictures.csv"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [
                line | {"value": float(line["value"]), "threshold": float(line["threshold"])}
                for line in csv.DictReader(file)
            ]

    def suspects(self) -> list[dict[str, Any]]:
        """A row per label to check, the most suspect first, as a dictionary.

        Its keys are path, label, seen_as (the most probable other class) and p (the probability of
        the label). Comparing again without these images raises the accuracy by construction.
        """
        path = self.folder / results.SUSPECTS
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [line | {"p": float(line["p"])} for line in csv.DictReader(file)]

    def cues(self) -> list[dict[str, Any]]:
        """What the classes hang on: a row per variant of the images, as a dictionary.

        Its keys are spec ("" for the combination of all representations under a millisecond, else
        the network that is scored alone), variant, accuracy, lo and hi; and, except for the images
        "as it is", difference, difference_lo, difference_hi and p: the accuracy minus that of the
        images as they are, and the p-value of that difference. Empty where it was not measured.
        """
        lines: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self.rows:
            if row.kind != "cues" or row.metric not in _CUE_COLUMNS:
                continue
            key = (row.spec, str(row.detail))
            line = lines.setdefault(key, {"spec": row.spec, "variant": key[1]})
            line[_CUE_COLUMNS[row.metric]] = row.value
            if row.metric != "p_flip":
                prefix = "difference_" if row.metric == "difference" else ""
                line[f"{prefix}lo"], line[f"{prefix}hi"] = row.lo, row.hi
        return list(lines.values())

    def to_pandas(self) -> "DataFrame":
        """`table` as a data frame, missing numbers as NaN.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        return data_frame(self.table(), "Comparison.to_pandas")

    def answers(self) -> "DataFrame":
        """What each representation answers for every scored image, out of fold, as a data frame.

        Its columns are path, label, and of every representation SPEC.answer, SPEC.probability and
        SPEC.margin: the class that a classifier names which has not seen the image's group, the
        calibrated probability of that answer, and the probability of the label minus the largest
        of another class, which is below 0 where the answer is wrong. Every class counts as equally
        likely. Where an image has several labels they are path, labels, SPEC.score.LABEL, by which
        images are ranked, and SPEC.probability.LABEL. Where it has a number they are path, value
        and SPEC.predicted, both in its unit. Without pandas, `pyarrow.parquet.read_table` reads
        answers.parquet.

        Raises:
            BadData: Nothing was scored.
            ExtraNeeded: pandas is not installed.
        """
        columns = answers.read(self.folder)
        if columns is None:
            raise BadData(
                "answers needs images of two classes, or with numbers or labels, that were scored, "
                "got none."
            )
        return data_frame(columns, "Comparison.answers")

    def __repr__(self) -> str:
        lines = [self.sentence]
        lines += [_line(line) for line in self.table()]
        return "\n".join([*lines, str(self.report)])

    def _repr_html_(self) -> str:
        lines = self.table()
        names = [name for name in ("spec", *_COLUMN_ORDER) if any(name in line for line in lines)]
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join(
            f"<tr>{''.join(f'<td>{_cell(line.get(name))}</td>' for name in names)}</tr>"
            for line in lines
        )
        sentence = html.escape(self.sentence)
        return f"<p>{sentence}</p><table><tr>{head}</tr>{body}</table><p>{self.report}</p>"


_SCORES = ("accuracy", "precision", "r2", "object")  # the first that was measured ranks
_ROLES = ("contender", "sum", "own", "together")
_COLUMNS = {
    ("accuracy", "probe"): "accuracy",
    ("accuracy", "precision"): "precision",
    ("accuracy", "r2"): "r2",
    ("accuracy", "error"): "error",
    ("accuracy", "by"): "by",
    ("accuracy", "linear"): "linear",
    ("accuracy", "knn"): "knn",
    ("accuracy", "retrieval"): "object",
    ("accuracy", "text_to_image"): "text_to_image",
    ("accuracy", "image_to_text"): "image_to_text",
    ("information", "kept"): "kept",
    ("stability", "moves"): "moves",
    ("cost", "ms"): "ms",
    ("cost", "bytes"): "bytes",
}
_RECALLS = ("text_to_image", "image_to_text")
_SIZE_COLUMNS = {
    ("accuracy", "probe_size"): "accuracy",
    ("accuracy", "precision_size"): "precision",
    ("accuracy", "r2_size"): "r2",
    ("accuracy", "retrieval_size"): "object",
    ("difference", "size"): "gain",
    ("cost", "ms_size"): "ms",
}
_CUE_COLUMNS = {"accuracy": "accuracy", "difference": "difference", "p_flip": "p"}
_COLUMN_ORDER = (
    "accuracy",
    "precision",
    "r2",
    "lo",
    "hi",
    "error",
    "by",
    "linear",
    "knn",
    "object",
    "object_lo",
    "object_hi",
    "text_to_image",
    "image_to_text",
    "kept",
    "moves",
    "ms",
    "bytes",
)


def _line(line: dict[str, Any]) -> str:
    cells = [f"{line['spec']:32}"]
    score = next((line[name] for name in _SCORES[:-1] if name in line), None)
    if score is not None:
        cells.append(f"{100 * score:5.1f} % ({percent_range(line['lo'], line['hi'])})")
    elif "object" in line:
        ends = f"({100 * line['object_lo']:.0f}-{100 * line['object_hi']:.0f})"
        cells.append(f"{100 * line['object']:5.1f} % {ends}")
    time = f"{line['ms']:8.2f} ms" if "ms" in line else f"{'-':>8}   "
    return "  ".join([*cells, time, f"{line['bytes']:7.0f} bytes"])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value is None else html.escape(str(value))
