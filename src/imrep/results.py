"""One measured number a row, and the file of such rows that every table and plot is drawn from.

`results.jsonl` has one JSON object a line with the fields of `Row`, in their order. Rows that speak
of the folder and not of one representation have `spec`, `fingerprint` and `role` empty. Shares lie
in [0, 1]; percentages are made where they are shown. `lo`, `hi` are 95 % intervals.

| kind | metric | detail | value (unit) |
|---|---|---|---|
| data | files | | files found that look like images (images) |
| | skipped | | files that could not be read; named in skipped.csv and assets (images) |
| | total | | images before `--max` left some out (images) |
| | unlabelled | | readable images without a label, out of the scores (images) |
| | class | class | images of this class, all of them (images) |
| | left_out | class | the same, for a class of one group that cannot be tested (images) |
| | moved | | draws made until no class lay wholly in one fold (draws) |
| duplicates | images | | images that are near-copies of another (images) |
| | groups | | groups they form (groups) |
| | largest | | size of the largest group (images) |
| | plain | | images too plain to check (images) |
| | conflicts | | near-identical pairs that carry different labels (pairs) |
| accuracy | probe | | balanced accuracy of the ridge probe, with lo and hi (share) |
| | knn | | balanced accuracy of 20 nearest neighbours (share) |
| | recall | class | share of this class that the probe names (share) |
| | constant | | 1 where the code is the same for every image (flag) |
| | probe_curve | labels a class, "5" | the probe's accuracy with that few labels (share) |
| | probe_size | side, "128" | the probe's accuracy at that size, with lo and hi (share) |
| | retrieval | | mean average precision of `--same-object`, with lo and hi (share) |
| difference | probe | the leader's spec | accuracy minus the leader's, with lo and hi (share) |
| | t | the leader's spec | the same over its standard error, as the step-down uses it (ratio) |
| | p_flip | the leader's spec | chance of so large a gap if the two were equals (share) |
| | retrieval | the leader's spec | average precision minus the leader's, with lo and hi (share) |
| | size | side, "128" | accuracy at that size minus that at the run's own, with lo, hi (share) |
| stability | move | perturbation | distance moved over distance to another image (ratio) |
| | top1 | perturbation | share of images whose original is still the nearest (share) |
| | moves | | mean of min(1, move) over the perturbations (ratio) |
| information | kept | | share of a 32 × 32 copy painted back, of 200 images or more (share) |
| | detail | | the same after a 4 × 4 thumbnail is taken away (share) |
| | psnr | | of the linear decoder's pictures (dB) |
| | exact | | of the exact inverse at native size, where there is one (dB) |
| labelfree | effective_dimensions | | participation ratio of the spectrum (dimensions) |
| | share1, share10 | | share of the variance in 1 and in 10 directions (share) |
| | cka | the other spec | 1 where the two see the same likenesses (share) |
| cost | ms | | processor time to encode one image (ms) |
| | wall_ms | | wall-clock time of the same (ms) |
| | fit_s | | processor time to fit, once (s) |
| | bytes | | of one vector as float32 (bytes) |
| | dimensions | | numbers in one vector (dimensions) |
| | images_s | | images encoded in a second of processor time (images) |
| | memory | | peak memory above the idle import (bytes) |
| | ms_size | side, "128" | milliseconds an image at that size (ms) |
| failed | error | reason, one line | the representation could not run; value is null |
| | weights | reason and way in | left out: its weights are not at hand; value is null |
| | extra | the pip line | left out: an optional package is missing; value is null |
| verdict | sentence | see below | accuracy of the pick, null where there is none (share) |

The `spec` of the verdict row is the pick's, or empty. Its detail is an object:

    sentence  nothing | noise | one | too few | none | solved | clear | tied | unlabelled
    text      the sentence of specs/compare.md section 15, **bold** as written there
    warnings  [{"id": "file" | "frame" | …, "text": …}, …], most serious first
    notes     [{"id": "repeats" | "single" | "labels" | "failed" | …, "text": …}, …]
    leader    the spec of largest accuracy, or ""
    equals    the set S, the leader among them: specs tied with the best
    q         the last step's quantile, or null
    gap       smallest visible gap, a share, or null
    margin    of the recommendation, a share
    guess     1 / classes, or null
    command   the `imrep embed … --size S` that repeats what was measured
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

PROTOCOL = "2"  # raised when the protocol's numbers change
FILENAME = "results.jsonl"
ROLES = ("", "contender", "control", "sum")
UNITS = (
    *("share", "points", "ratio", "flag", "dB", "ms", "s", "bytes"),
    *("dimensions", "images", "groups", "pairs", "draws", ""),
)
METRICS = {
    "data": ("files", "skipped", "total", "unlabelled", "class", "left_out", "moved"),
    "duplicates": ("images", "groups", "largest", "plain", "conflicts"),
    "accuracy": ("probe", "knn", "recall", "constant", "probe_curve", "probe_size", "retrieval"),
    "difference": ("probe", "t", "p_flip", "retrieval", "size"),
    "stability": ("move", "top1", "moves"),
    "information": ("kept", "detail", "psnr", "exact"),
    "labelfree": ("effective_dimensions", "share1", "share10", "cka"),
    "cost": (*("ms", "wall_ms", "fit_s", "bytes", "dimensions", "images_s", "memory", "ms_size"),),
    "failed": ("error", "weights", "extra"),
    "verdict": ("sentence",),
}
SENTENCES = (
    *("nothing", "noise", "one", "too few", "none", "solved", "clear", "tied", "unlabelled"),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured number and all that is needed to read it alone.

    Args:
        run: Identifies the call of `compare` that measured it.
        time: When, ISO 8601 in UTC.
        protocol: Version of the protocol.
        data: Digest of the decoded images.
        data_name: The folder's name, for people.
        n: Images in the scores.
        classes: Classes in the scores; 0 without labels.
        groups: Groups that stay in one fold, single images counted as groups.
        S: Side of the square image that was encoded.
        seed: Of everything random.
        folds: Folds of the cross-validation; 0 without labels.
        spec: Which representation; empty for a number about the folder.
        fingerprint: Of the representation; empty likewise.
        role: contender, control or sum; empty likewise.
        fitted_on: "fold" or "all" where something was fitted, else empty.
        kind: The table above.
        metric: The table above.
        detail: The table above; an object in the verdict's row, else a string.
        value: The number, or None where there is none.
        lo: Lower end of its 95 % interval.
        hi: Upper end.
        unit: One of `UNITS`.
        threads: Threads that were allowed.
        cpu: The processor's name, since its times compare with no other's.
        versions: Of the packages the numbers rest on.

    Raises:
        BadData: A kind, metric, role or unit that the table does not have, or a value that is not
            finite: a score of NaN is an error where it arises.
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
            known = ", ".join(f"{kind}: {' '.join(metrics)}" for kind, metrics in METRICS.items())
            raise BadData(
                f"a row needs a kind and metric of its table, got {self.kind}.{self.metric}. "
                f"Take one of {known}."
            )
        for name, known_values in (("role", ROLES), ("unit", UNITS)):
            if (value := getattr(self, name)) not in known_values:
                choices = ", ".join(filter(None, known_values))
                raise BadData(f"a row needs a {name} of: {choices}; got {value!r}. Take one.")
        for name in ("value", "lo", "hi"):
            if (number := getattr(self, name)) is not None and not math.isfinite(number):
                what = f"{self.spec or 'the folder'} {self.kind}.{self.metric}"
                raise BadData(f"{what} needs a finite {name}, got {number}. Report it as failed.")

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields, without the line's end."""
        values = encodable_values(vars(self))
        return json.dumps(values, ensure_ascii=False, allow_nan=False, default=_plain)

    @classmethod
    def from_json(cls, line: str) -> "Row":
        """The row of one line; unknown keys are refused, absent ones take their defaults."""
        try:
            known = json.loads(line)
            return cls(**known)
        except (TypeError, ValueError) as error:
            names = ", ".join(f.name for f in fields(cls))
            raise BadData(
                f"{FILENAME} needs one JSON object a line with {names}; got {line[:80]!r} "
                f"({error}). Run imrep compare again."
            ) from error


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows, one JSON object a line; the file is whole or as it was before."""
    write_text(path, "".join(row.to_json() + "\n" for row in rows))


def read(path: Path) -> list[Row]:
    """The rows of a file written by `write`.

    Raises:
        BadData: There is no such file, or a line of it is no row.
    """
    if not path.is_file():
        raise BadData(f"a report needs {path.name}, got {path.parent}. Run imrep compare first.")
    return list(_parsed(path))


def _parsed(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        yield from (Row.from_json(line) for line in lines if line.strip())


def _plain(number: Any) -> Any:
    """NumPy's scalars as Python's, so that the caller need not think of it."""
    if hasattr(number, "item"):
        return number.item()
    raise TypeError(f"{type(number).__name__} is no JSON value")
