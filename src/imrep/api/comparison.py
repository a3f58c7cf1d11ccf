"""`compare`: which representation serves a set of images best."""

import csv
import html
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imrep import answers, images, results, weights
from imrep.api.data import source
from imrep.api.frames import data_frame
from imrep.comparison.conclusions.phrases import percent_range
from imrep.datasets.target import Kind, Request
from imrep.errors import BadData, BadParameter
from imrep.io.names import as_path
from imrep.io.output_folder import claimed
from imrep.registry.signatures import renamed
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
        """The folder of the saved classifier, None where none was saved; `saved_text` says why."""
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
                "classifier needs what `compare` returned on images with classes, got "
                f"{self.folder} alone. Compare with save='model/', then imrep.load_model('model/')."
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
        """
        by_spec: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            if row.role in _ROLES:
                line = by_spec.setdefault(row.spec, {"spec": row.spec, "role": row.role})
                name = _COLUMNS.get((row.kind, row.metric))
                if name:
                    line[name] = row.detail if name == "by" else row.value
                if name in ("accuracy", "precision", "r2"):
                    line["lo"], line["hi"] = row.lo, row.hi
                if name == "object":
                    line["object_lo"], line["object_hi"] = row.lo, row.hi
        return sorted(
            by_spec.values(),
            key=lambda line: (
                line["role"] == "together",  # no rival of the others
                -next((line[name] for name in _SCORES if name in line), 0.0),
                line["spec"],
            ),
        )

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
            if row.kind != "cues":
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
    ("information", "kept"): "kept",
    ("stability", "moves"): "moves",
    ("cost", "ms"): "ms",
    ("cost", "bytes"): "bytes",
}
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
    "kept",
    "moves",
    "ms",
    "bytes",
)


@renamed(most="max_images")
def compare(  # noqa: PLR0913  # one argument for each option of the command
    data: Any = None,
    representations: Sequence[object] | None = None,
    out: str | Path = "report",
    *,
    size: int = 64,
    sizes: Sequence[int] = (),
    seed: int = 0,
    margin: float = 2.0,
    cues: bool = True,
    log: bool = False,
    groups: str | Path | Mapping[str, str] | None = None,
    same_object: str | Path | Mapping[str, str] | None = None,
    vectors: Mapping[str, Any] | None = None,
    ms: Mapping[str, float] | None = None,
    target: str | None = None,
    target_kind: Kind | None = None,
    max_images: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    download: bool = False,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    cache_limit: str | int | None = None,
    save: str | Path | None = None,
    save_which: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Which representation serves these images best, how sure that is, and what it costs.

    Args:
        data: A folder, a split.csv, a zip, a parquet, a glob; None for the built-in photographs. Or
            images, or (images, labels): a list of paths, PIL images, arrays (h, w[, c]) or
            tensors (c, h, w), or one array (n, h, w[, c]) or tensor (n, c, h, w); floats in [0, 1].
        representations: Specs, sums such as "hog+histogram" among them; representations; modules or
            functions from images (b, 3, h, w) to vectors (b, d). None for every one that can run
            here.
        out: Folder for the report.
        size: Side in pixels of the squares that the images are read at.
        sizes: Further sides, for the curve of accuracy against size.
        seed: Of folds, samples and noise.
        margin: Points of accuracy within which cost decides.
        cues: Whether to change the images, to see what their classes hang on: colour, layout, fine
            detail, outlines. Half a minute for 500 images.
        log: Whether to compare numbers by their ratios, so that a few large ones do not decide: the
            logarithm is predicted, of 1 more where some are 0.
        groups: Images that stay in one fold: a csv with path,group, or the group of each path;
            images in memory have the paths "000000", "000001" …
        same_object: Images that should retrieve each other, likewise.
        vectors: Vectors made elsewhere that are compared too, by their name in tables and in sums
            such as "mine+hog": a file (.parquet, .npz, .npy, .csv, .safetensors), {path: vector},
            (paths, array (n, d)), or an array with a row for every image that was found, sorted by
            path, or in the order of images in memory. Rows belong to images by equal paths; else
            by the same file; else where one path ends in the other; else by names; else by names
            without suffix.
        ms: Milliseconds an image of some of these vectors; without, their cost is not known.
        target: The column of the table that holds what is predicted, or the name of y in memory.
            None for the column label, value or labels; one of several has to be named.
        target_kind: "class"; "value", a number; or "labels", several for an image, separated by |.
            None for what the column says: label and folders are classes, value numbers, labels
            sets of labels; of another column numbers with a point or over 20 different ones are
            values. In memory, floats with a fraction are values, lists or columns of 0 and 1
            labels.
        max_images: Limit for the images, sampled with the classes in proportion.
        threads: Threads that encode; None for as many as torch has. Costs are measured on one.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        cache_limit: Size of the cache, "5GB" or in bytes, above which the least recently used
            entries are deleted at the end; "none" for no limit. None for IMREP_CACHE_LIMIT, else
            5 GB. Entries that this run used stay.
        save: Folder for the classifier that was measured, fitted to all images, for
            `imrep.load_model` and `imrep predict`. It holds the vectors of the training images.
        save_which: Its spec, or "together"; "" for the recommended one, and then nothing is saved
            where nothing is recommended (`Comparison.saved_text`).
        progress: Called with a phrase, the number done and the total; with a total of 0 the phrase
            says how long what follows will take.

    Returns:
        A `Comparison`; its repr is the sentence and the table.

    Raises:
        BadData: There are no images, or none that can be read; or `out` holds what
            compare did not write; or vectors are not finite numbers, of other images, or a label.
        Busy: Another run writes into `out`.
        OSError: The system does not let it be written; finished work stays for the next call.
        BadParameter: An argument is out of its range.
        UnknownName: A spec names nothing.
    """
    import torch

    from imrep import report
    from imrep.comparison import protocol
    from imrep.comparison.settings import Inputs, Settings
    from imrep.embedding import cache
    from imrep.embedding.cache import limits

    limit = limits.limit(cache_limit)
    reading = images.Reading(max_pixels=max_pixels, data_range=data_range)
    request = Request(target, target_kind)
    inputs = Inputs(
        data=source(data, reading, "compare", request),
        specs=_listed(representations),
        vectors=vectors,
        ms=ms,
        groups=_groups(groups),
        same_object=_groups(same_object),
        max_images=max_images,
        seed=seed,
        target=request,
    )
    settings = Settings(
        out=as_path(out, "compare", "a folder for its report"),
        size=size,
        sizes=sizes if isinstance(sizes, str | int) else tuple(sizes),  # type: ignore[arg-type]
        seed=seed,
        margin=margin,
        cues=cues,
        log=log,
        threads=torch.get_num_threads() if threads is None else threads,
        device=device,
        reading=reading,
        save=None if save is None else as_path(save, "compare", "a folder to save in", empty=False),
        save_which=save_which,
    )
    report_progress = progress or _silent
    fetching = weights.allow_download() if download else nullcontext()
    with claimed(settings.out, "compare"), fetching, cache.pruned(limit, report_progress):
        finished = protocol.run(inputs, settings, report_progress)
        report_progress("writing the report", 0, 1)
        report.write(finished.folder)
    return Comparison(finished.folder, finished.models, finished.saving)


def _listed(representations: Any) -> tuple[object, ...] | None:
    """The representations as a tuple; a single one counts as a list of it."""
    if representations is None:
        return None
    several = isinstance(representations, list | tuple)
    return (tuple(representations) if several else (representations,)) or None


def _groups(groups: str | Path | Mapping[str, str] | None) -> Path | Mapping[str, str] | None:
    return Path(groups) if isinstance(groups, str | Path) else groups


def _silent(what: str, done: int, total: int) -> None:
    """No progress is reported."""


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
