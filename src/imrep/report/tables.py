"""Every number as a plain table, readable without a script and sortable with one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from imrep.report import words
from imrep.report.findings import PERTURBATIONS, Findings, Standing


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number: as read, as sorted (None last), as a bar of this share of the cell; or words."""

    text: str
    value: float | None = None
    bar: float | None = None
    wordy: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """A heading in words, and the sentence that explains it."""

    title: str
    means: str = ""
    wordy: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """One spec's cells; its standing gives the colour, its note stands below the name."""

    name: str
    cells: list[Cell]
    standing: Standing = "rest"
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns after the first, which holds the name, and lines."""

    caption: str
    first: str
    columns: list[Column]
    lines: list[Line]

    def __bool__(self) -> bool:
        return bool(self.lines)


_Format = Callable[[float | None], str]
_Metric = tuple[str, str, _Format, str, str]  # kind, metric, format, heading, meaning
_MAIN: tuple[_Metric, ...] = (
    (
        *("accuracy", "probe", words.percent, "accuracy"),
        "Share of images that a linear classifier (the probe) names rightly, on images it was not "
        "trained on; the mean over the classes, so that each class counts the same.",
    ),
    (
        *("accuracy", "knn", words.percent, "by nearest neighbours"),
        "The same when the class is voted by the 20 nearest training images. Shown, never decides.",
    ),
    (
        *("accuracy", "retrieval", words.percent, "finds the same object"),
        "Mean average precision: an image of an object is the query, all others are ranked, and "
        "100% means that the object's other images come first.",
    ),
    (
        *("difference", "p_flip", words.chance, "chance of such a gap"),
        "How often two equally good representations would differ by as much as this one and the "
        "best do. Small: the gap is hardly chance.",
    ),
    (
        *("cost", "ms", words.digits, "milliseconds an image"),
        "Processor time to turn one decoded image into its vector, on this machine.",
    ),
    (
        *("cost", "bytes", words.kilobytes, "kilobytes an image"),
        "Size of one vector, at four bytes a number.",
    ),
    (
        *("cost", "dimensions", words.count, "numbers an image"),
        "Length of the vector (its dimensions).",
    ),
    (
        *("information", "kept", words.percent, "picture kept"),
        "How much of a 32 × 32 copy of a new picture a linear decoder paints back from the vector: "
        "100%, all of it; 0%, no more than the average picture. A dash: too few pictures to tell.",
    ),
    (
        *("information", "detail", words.percent, "fine detail kept"),
        "The same after everything a 4 × 4 thumbnail shows has been taken away.",
    ),
    (
        *("stability", "moves", words.ratio, "moves"),
        "How far the vector moves, on average, when the picture changes a little: 0, it does not "
        "notice; 1, as far as to another picture, and no change counts for more than 1. Low is no "
        "merit by itself: what is blind to everything does not move either.",
    ),
    (
        *("cost", "fit_s", words.digits, "seconds to fit"),
        "Processor time to fit it once, where it learns a codebook or the like from the images.",
    ),
)
_SPREAD: tuple[_Metric, ...] = (
    (
        *("labelfree", "effective_dimensions", words.digits, "effective dimensions"),
        "Over how many directions the vectors spread, counted evenly.",
    ),
    (
        *("labelfree", "share1", words.percent, "in one direction"),
        "Share of all the variation along the strongest direction.",
    ),
    (
        *("labelfree", "share10", words.percent, "in ten directions"),
        "The same for the ten strongest.",
    ),
    ("cost", "images_s", words.count, "images a second", "Of processor time, encoding alone."),
    ("cost", "wall_ms", words.digits, "milliseconds by the clock", "Wall-clock time an image."),
    (
        *("cost", "memory", words.megabytes, "megabytes of memory"),
        "Peak memory while encoding, above what the program needs idle.",
    ),
)


def main(findings: Findings) -> Table:
    """The table: contenders in order, then the controls."""
    specs = [*findings.contenders, *findings.controls]
    controls = ", and the controls" if findings.controls else ""
    table = _of_metrics(findings, specs, _MAIN, f"Every representation{controls}")
    for metric in ("probe", "retrieval"):
        _add_interval(findings, table, specs, metric)
    return table


def _add_interval(findings: Findings, table: Table, specs: list[str], metric: str) -> None:
    """Put the 95 % interval of a score behind its column, where there is one."""
    title = next(title for kind, name, _, title, _ in _MAIN if (kind, name) == ("accuracy", metric))
    titles = [column.title for column in table.columns]
    if title not in titles:
        return
    place = titles.index(title) + 1
    means = f"Where the score before it ({title}) lies with 95% certainty."
    table.columns.insert(place, Column(title="95% interval", means=means))
    for spec, line in zip(specs, table.lines, strict=True):
        row = findings.row("accuracy", metric, spec)
        lo, hi = (None, None) if row is None else (row.lo, row.hi)
        line.cells.insert(place, Cell(text=words.interval(lo, hi), value=lo))


def spread(findings: Findings) -> Table:
    """What the vectors are like without labels, and the rest of the costs."""
    return _of_metrics(findings, findings.contenders, _SPREAD, "Spread of the vectors, and costs")


def differences(findings: Findings) -> Table:
    """How far each is behind the best."""
    lines = []
    for spec in findings.contenders:
        row = findings.row("difference", findings.measure, spec, findings.leader)
        if row is None or spec == findings.leader:
            continue
        ends = f"{words.points(row.lo)} to {words.points(row.hi)}"
        cells = [
            Cell(text=words.points(row.value), value=row.value),
            Cell(text=ends, value=row.lo),
        ]
        if findings.labelled:
            t = findings.value("difference", "t", spec, findings.leader)
            p = findings.value("difference", "p_flip", spec, findings.leader)
            cells += [Cell(text=words.digits(t), value=t), Cell(text=words.chance(p), value=p)]
        lines.append(_line(findings, spec, cells))
    titles = ["points behind the best", "95% interval"]
    if findings.labelled:
        titles += ["gap over its standard error", "chance of such a gap"]
    columns = [Column(title=title) for title in titles]
    return Table(caption="Behind the best", first="representation", columns=columns, lines=lines)


def crossed(findings: Findings, kind: str, metric: str, caption: str, form: _Format) -> Table:
    """One metric, a column for each of its details (perturbations, labels a class, sides)."""
    details = findings.details(kind, metric)
    if set(details) <= set(findings.contenders):
        details = [spec for spec in findings.contenders if spec in details]
    specs = [s for s in findings.having(kind, metric) if findings.details(kind, metric, s)]
    lines = []
    for spec in specs:
        values = [findings.value(kind, metric, spec, detail) for detail in details]
        cells = [Cell(text=form(value), value=value) for value in values]
        lines.append(_line(findings, spec, cells))
    unit = " px" if metric.endswith("_size") or metric == "size" else ""
    columns = [
        Column(title=_heading(findings, d) + unit, means=PERTURBATIONS.get(d, "")) for d in details
    ]
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def confused(names: list[str], counts: list[list[int]], most: int = 10) -> Table:
    """The commonest errors: of a class's images, how many were given which other name."""
    errors = [
        (count, count / max(sum(line), 1), names[i], names[j])
        for i, line in enumerate(counts)
        for j, count in enumerate(line)
        if i != j and count
    ]
    errors.sort(key=lambda error: (-error[1], error[2:]))
    columns = [
        Column(title="taken for", wordy=True),
        Column(title="images"),
        Column(title="of the class"),
    ]
    lines = [
        Line(
            name=true,
            cells=[
                Cell(text=answer, wordy=True),
                Cell(text=words.count(count), value=count),
                Cell(text=words.percent(share), value=share),
            ],
        )
        for count, share, true, answer in errors[:most]
    ]
    return Table(caption="The commonest errors", first="class", columns=columns, lines=lines)


def recalls(findings: Findings) -> Table:
    """How much of each class every representation names, where the run wrote it down."""
    return crossed(findings, "accuracy", "recall", "Accuracy, class by class", words.percent)


def _of_metrics(
    findings: Findings, specs: list[str], metrics: Iterable[_Metric], caption: str
) -> Table:
    told = {(row.kind, row.metric) for row in findings.rows if row.value}
    shown = [metric for metric in metrics if metric[:2] in told]
    lines = [_line(findings, spec, [_cell(findings, spec, m) for m in shown]) for spec in specs]
    columns = [Column(title=title, means=means) for *_, title, means in shown]
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def _cell(findings: Findings, spec: str, metric: _Metric) -> Cell:
    kind, name, form, *_ = metric
    detail = findings.leader if kind == "difference" else ""
    value = findings.value(kind, name, spec, detail)
    if kind == "difference" and spec == findings.leader:
        return Cell(text="the best", value=2.0)
    bar = value if (kind, name) == ("accuracy", findings.measure) else None
    return Cell(text=form(value), value=value, bar=bar)


def _line(findings: Findings, spec: str, cells: list[Cell]) -> Line:
    return Line(
        name=spec, cells=cells, standing=findings.standing(spec), note=_note(findings, spec)
    )


def _note(findings: Findings, spec: str) -> str:
    standing = findings.standing(spec)
    kinds = {"pick": [findings.praise], "equal": ["tied with the best"], "control": ["control"]}
    said = kinds.get(standing, [])
    measured = findings.row("cost", "ms", spec)
    if measured is not None and len(findings.sides) > 1:
        said.append(f"read at {measured.S} pixels")
    if measured is not None and measured.fitted_on:
        said.append("fitted in each fold" if measured.fitted_on == "fold" else "fitted once on all")
    if measured is not None and measured.fingerprint.startswith("object-"):
        said.append("given as an object")
    if findings.value("accuracy", "constant", spec):
        said.append("constant: the same code for every image")
    return ", ".join(said)


def _heading(findings: Findings, detail: str) -> str:
    return findings.short.get(detail, detail)
