"""Rows of one measured number each, and the file of rows that every table and plot reads.

`results.jsonl` has one JSON object per line with the fields of `Row`, in order. Rows about the
folder, not about one representation, have empty `spec`, `fingerprint` and `role`. Shares lie in
[0, 1]; percentages are computed where they are displayed. `lo`, `hi` are 95 % intervals.

| kind | metric | detail | value (unit) |
|---|---|---|---|
| data | files | | files found that look like images (images) |
| | skipped | | files that could not be read; listed in skipped.csv and assets (images) |
| | total | | images before `--max-images` was applied (images) |
| | unlabelled | | readable images without a label, not in the scores (images) |
| | class | class | all images of this class (images) |
| | label | label | images in the scores that have this label, one of several (images) |
| | left_out | class or label | the same, where it cannot be tested (images) |
| | target | its name | images with the number that is predicted (images) |
| | guess_error | | mean absolute error of always naming the median (number or factor) |
| | moved | | draws of the folds until no class lay in a single fold (draws) |
| duplicates | images | | images with a near-duplicate; pairs are in near_duplicates.csv (images) |
| | groups | | groups they form (groups) |
| | largest | | size of the largest group (images) |
| | plain | | images too uniform to check (images) |
| | conflicts | | near-identical pairs that carry different labels (pairs) |
| pictures | odd | | images with one of the next seven issues; pictures.csv lists them (images) |
| | dark, bright, blurred, uniform | criterion | images with this issue (images) |
| | size, aspect, gray | criterion | likewise (images) |
| | trait | sentence | images of a folder or class that share an issue, not listed (images) |
| accuracy | probe | | balanced accuracy of the ridge on the best kernel, with lo, hi (share) |
| | by | kernel | that most folds chose; "parts" for a sum; value is null |
| | linear | | balanced accuracy of the ridge on the linear kernel (share) |
| | knn | | balanced accuracy of 20 nearest neighbours (share) |
| | zeroshot | words, or numbers | by the names of the classes alone, no labels, with lo and hi; \
what the names are (share) |
| | text_to_image | "" or "R@5", "R@10" | captions whose image is the first, or among the first 5 \
or 10, with lo and hi (share) |
| | image_to_text | likewise | images one of whose captions is (share) |
| | recall | class | recall of this class by the probe (share) |
| | constant | in which folds | 1 where the code is the same for every image (flag) |
| | probe_curve | labels per class, "5" | the probe's accuracy with so many labels (share) |
| | probe_crossing | the highest's spec | labels per class at which this curve overtakes it, with \
lo and hi; null where that cannot be told (labels) |
| | probe_size | side, "128" | the probe's accuracy at that size, with lo and hi (share) |
| | r2 | | of numbers: share of their variance that is explained, with lo, hi (share) |
| | error | | of numbers: mean absolute error (number), or of their logarithms (factor) |
| | r2_curve | images, "100" | r2 with so many training images (share) |
| | r2_size | side, "128" | r2 at that size, with lo and hi (share) |
| | precision | | of several labels: mean average precision, with lo and hi (share) |
| | label_precision | label | average precision of this label (share) |
| | precision_curve | images, "100" | mean average precision with so many images (share) |
| | precision_size | side, "128" | the same at that size, with lo and hi (share) |
| | retrieval | | mean average precision of `--same-object`, with lo and hi (share) |
| | retrieval_size | side, "128" | the same at that size, with lo and hi (share) |
| difference | probe | the leader's spec | accuracy minus the leader's, with lo and hi (share) |
| | t | the leader's spec | the same over its standard error, used by the step-down (ratio) |
| | p_flip | the leader's spec | p-value of the sign-flip test of the difference (share) |
| | needed | the leader's spec | difference above which the step-down drops it (share) |
| | r2 | the leader's spec | r2 minus the leader's, with lo and hi (share) |
| | precision | the leader's spec | average precision minus the leader's, with lo and hi (share) |
| | retrieval | the leader's spec | the same of `--same-object` (share) |
| | size | side, "128" | score at that size minus that at the main size, with lo, hi (share) |
| combination | weight | a part's spec | its weight over the sum, fitted to all images (share) |
| | folds | a part's spec | share of the folds that kept the part (share) |
| suspects | sentence | the sentences | on labels to check (suspects.csv); value is null |
| | listed | | labels to check (images) |
| | wrong | | estimated number of wrong labels (images) |
| | right | | of those listed, expected to be right (images) |
| | threshold | | largest probability of a listed label (share) |
| | changed | | labels changed on purpose in each of five draws (images) |
| | recall | | share of these among the first, three times as many, of their draw (share) |
| cues | part | | whether it is one of those under 1 ms that were put together (flag) |
| | accuracy | variant | of a network or, without a spec, of all under 1 ms together (share) |
| | difference | variant | the same minus that on the images as they are (share) |
| | p_flip | variant | p-value of the sign-flip test of the difference (share) |
| probability | nll | | mean of -log p of the label, out of fold (nats) |
| | ece | | expected calibration error, 15 bins of equal width (share) |
| | temperature | | factor of the logits, the mean over the folds (ratio) |
| | confidence | bin, "3 of 10" | mean p of the pick's answers in a bin of equal count (share) |
| | right | bin, "3 of 10" | share of them that are right, with lo, hi (share) |
| | sure | | share of the pick's answers of p ≥ 0.9 that are right, with lo, hi (share) |
| | sure_images | | number of such answers (images) |
| stability | move | perturbation | displacement over distance to another image (ratio) |
| | top1 | perturbation | share of images whose original is the nearest image (share) |
| | moves | | mean of min(1, move) over the perturbations (ratio) |
| information | kept | | R² of the least-squares reconstruction, of 200 images or more (share) |
| | detail | | the same after subtraction of a 4 × 4 thumbnail (share) |
| | psnr | | of the least-squares reconstruction (dB) |
| | exact | | of the exact inverse at native size, if there is one (dB) |
| | code_numbers | | numbers in the code from which that inverse starts (dimensions) |
| labelfree | effective_dimensions | | participation ratio of the spectrum (dimensions) |
| | share1, share10 | | share of the variance in 1 and in 10 directions (share) |
| | cka | the other spec | linear centred kernel alignment of the two (share) |
| cost | ms | | processor time to encode one image (ms) |
| | wall_ms | | wall-clock time of the same (ms) |
| | fit_s | | processor time to fit, once (s) |
| | trained | how long, "60 epochs" | 1 where each fold trained its own on the labels (flag) |
| | bytes | | of one vector as float32 (bytes) |
| | dimensions | | length of the vector (dimensions) |
| | images_s | | images per second of processor time (images) |
| | memory | | peak memory above that of the idle import (bytes) |
| | ms_size | side, "128" | milliseconds per image at that size (ms) |
| | ms_stated | | 1 where `ms` is what the maker of the vectors states, `--ms` (flag) |
| failed | error | reason, one line | the representation could not run; value is null |
| | weights | reason and remedy | left out: its weights are not available; value is null |
| | extra | the pip command | left out: an optional package is missing; value is null |
| verdict | sentence | see below | accuracy of the pick, null where there is none (share) |

The `spec` of the verdict row is the pick's, or empty. Its detail is an object:

    sentence  nothing | noise | one | too few | none | solved | clear | tied | unlabelled
    text      the sentence of specs/compare.md section 15, **bold** as written there
    warnings  [{"id": "file" | "frame" | …, "text": …}, …], in order of severity
    notes     [{"id": "repeats" | "single" | "labels" | "failed" | …, "text": …}, …]
    leader    the spec of largest accuracy, or ""
    equals    specs tied with the best, including the leader
    q         quantile of the last step, or null
    gap       smallest difference that can be expected to be detected, a share, or null
    margin    of the recommendation, a share
    guess     1 / classes, or null
    data      DATA as it was typed, or ""
    command   the `imrep embed … --size S` that writes the measured vectors, or ""
    save      the `imrep compare … --save model/` that saves the pick's classifier, or ""
    retrieval of `--same-object` beside classes: an object of sentence, text, pick, leader, equals,
              q, gap and guess; else null
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from imrep.errors import BadData
from imrep.io.files import write_text
from imrep.io.names import encodable_values

OUTSIDE = (  # stands under every row whose `fitted_on` is "outside"
    "Made outside: if its maker was trained on these images or labels, this accuracy flatters, and "
    "no fold can tell."
)
PROTOCOL = "3"  # raised when the protocol's numbers change
FILENAME = "results.jsonl"
SUSPECTS = "suspects.csv"  # beside it: labels to check, the most suspect first
ROLES = ("", "contender", "control", "sum", "own", "together")
UNITS = (
    *("share", "points", "ratio", "flag", "dB", "ms", "s", "bytes"),
    *("nats", "dimensions", "images", "groups", "pairs", "draws", "labels", "number"),
    *("factor", ""),
)
METRICS = {
    "data": (
        *("files", "skipped", "total", "unlabelled", "class", "label", "left_out"),
        *("target", "guess_error", "moved"),
    ),
    "duplicates": ("images", "groups", "largest", "plain", "conflicts"),
    "pictures": (
        *("odd", "dark", "bright", "blurred", "uniform", "size", "aspect", "gray"),
        "trait",
    ),
    "accuracy": (
        *("probe", "by", "linear", "knn", "zeroshot", "text_to_image", "image_to_text"),
        *("recall", "constant"),
        *("probe_curve", "probe_crossing", "probe_size", "r2", "error", "r2_curve", "r2_size"),
        *("precision", "label_precision", "precision_curve", "precision_size"),
        *("retrieval", "retrieval_size"),
    ),
    "difference": ("probe", "t", "p_flip", "needed", "r2", "precision", "retrieval", "size"),
    "combination": ("weight", "folds"),
    "suspects": ("sentence", "listed", "wrong", "right", "threshold", "changed", "recall"),
    "cues": ("part", "accuracy", "difference", "p_flip"),
    "probability": (*("nll", "ece", "temperature", "confidence", "right", "sure", "sure_images"),),
    "stability": ("move", "top1", "moves"),
    "information": ("kept", "detail", "psnr", "exact", "code_numbers"),
    "labelfree": ("effective_dimensions", "share1", "share10", "cka"),
    "cost": (
        *(
            "ms",
            "wall_ms",
            "fit_s",
            "trained",
            "bytes",
            "dimensions",
            "images_s",
            "memory",
            "ms_size",
        ),
        "ms_stated",
    ),
    "failed": ("error", "weights", "extra"),
    "verdict": ("sentence",),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured number with everything needed to interpret it.

    Args:
        run: Identifier of the call of `compare`.
        time: When, ISO 8601 in UTC.
        protocol: Version of the protocol.
        data: Digest of the decoded images.
        data_name: The folder's name.
        n: Images in the scores.
        classes: Classes in the scores; 0 without labels.
        groups: Groups that are never split between folds; a single image is a group.
        S: Side of the square image that was encoded.
        seed: Of all random numbers.
        folds: Folds of the cross-validation; 0 without labels.
        spec: The representation; empty for a number about the folder.
        fingerprint: Of the representation; empty likewise.
        role: contender, sum, own (vectors of the user), together (all combined) or control; empty
            likewise.
        fitted_on: "fold" or "all" if it was fitted, "outside" if it was made elsewhere, else empty.
        kind: The table above.
        metric: The table above.
        detail: The table above; an object in the verdict's row, else a string.
        value: The number, or None.
        lo: Lower end of its 95 % interval.
        hi: Upper end.
        unit: One of `UNITS`.
        threads: Number of threads.
        cpu: Name of the processor. Times of different processors are not comparable.
        versions: Of the packages that affect the numbers.

    Raises:
        BadData: A kind, metric, role or unit that is not in the table, or a value that is not
            finite.
    """

    run: str = ""
    time: str = ""
    protocol: str = PROTOCOL
    data: str = ""
    data_name: str = ""
    n: int = 0
    classes: int = 0
    groups: int = 0
    S: int = 64
    seed: int = 0
    folds: int = 0
    spec: str = ""
    fingerprint: str = ""
    role: str = ""
    fitted_on: str = ""
    kind: str
    metric: str
    detail: str | dict[str, Any] = ""
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    unit: str = ""
    threads: int = 1
    cpu: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.metric not in METRICS.get(self.kind, ()):
            allowed = ", ".join(f"{kind}: {' '.join(metrics)}" for kind, metrics in METRICS.items())
            raise BadData(
                f"a row needs a kind and metric of its table, got {self.kind}.{self.metric}. "
                f"Take one of {allowed}."
            )
        for name, values in (("role", ROLES), ("unit", UNITS)):
            if (value := getattr(self, name)) not in values:
                choices = ", ".join(filter(None, values))
                raise BadData(f"a row needs a {name} of: {choices}; got {value!r}. Take one.")
        for name in ("value", "lo", "hi"):
            if (number := getattr(self, name)) is not None and not math.isfinite(number):
                what = f"{self.spec or 'the folder'} {self.kind}.{self.metric}"
                raise BadData(f"{what} needs a finite {name}, got {number}. Report it as failed.")

    def to_json(self) -> str:
        """One line of JSON without a line break, keys in the order of the fields."""
        values = encodable_values(vars(self))
        return json.dumps(values, ensure_ascii=False, allow_nan=False, default=_plain)

    @classmethod
    def from_json(cls, line: str) -> "Row":
        """The row of one line; unknown keys are refused, missing ones take their defaults."""
        try:
            return cls(**json.loads(line))
        except (TypeError, ValueError) as error:
            names = ", ".join(f.name for f in fields(cls))
            raise BadData(
                f"{FILENAME} needs one JSON object per line with {names}; got {line[:80]!r} "
                f"({error}). Run imrep compare again."
            ) from error


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows atomically, one JSON object per line."""
    write_text(path, "".join(row.to_json() + "\n" for row in rows))


def read(path: Path) -> list[Row]:
    """The rows of a file written by `write`.

    Raises:
        BadData: There is no such file, or a line of it is not a row.
    """
    if not path.is_file():
        raise BadData(f"a report needs {path.name}, got {path.parent}. Run imrep compare first.")
    return list(_parsed(path))


def _parsed(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        yield from (Row.from_json(line) for line in lines if line.strip())


def _plain(number: Any) -> Any:
    """NumPy's scalars as Python's."""
    if hasattr(number, "item"):
        return number.item()
    raise TypeError(f"{type(number).__name__} is not a JSON value")
