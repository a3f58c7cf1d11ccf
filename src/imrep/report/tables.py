"""Every number as a plain table, readable without a script and sortable with one."""

from collections.abc import Iterable
from dataclasses import dataclass

from imrep.report import words
from imrep.report.findings import PERTURBATIONS, Findings, Standing
from imrep.report.metrics import MAIN, SPREAD, Format, Metric


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A number: its text, its sort key (None last), its bar in [0, 1]. Or words."""

    text: str
    value: float | None = None
    bar: float | None = None
    wordy: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """A heading, and the sentences that define it."""

    title: str
    definition: str = ""
    wordy: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """One spec's cells; its standing gives the colour, its note stands below the name."""

    name: str
    cells: list[Cell]
    standing: Standing = "other"
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


def main(findings: Findings) -> Table:
    """The table of results: contenders in order, then the controls."""
    specs = [*findings.contenders, *findings.controls]
    controls = ", and the controls" if findings.controls else ""
    table = _of_metrics(findings, specs, MAIN, f"Every representation{controls}")
    for metric in ("probe", "retrieval"):
        _add_interval(findings, table, specs, metric)
    return table


def _add_interval(findings: Findings, table: Table, specs: list[str], metric: str) -> None:
    """Insert the 95 % interval of a score after its column, if there is one."""
    title = next(m.title for m in MAIN if (m.kind, m.metric) == ("accuracy", metric))
    titles = [column.title for column in table.columns]
    if title not in titles:
        return
    index = titles.index(title) + 1
    definition = f"95% confidence interval of the score to its left ({title})."
    table.columns.insert(index, Column(title="95% interval", definition=definition))
    for spec, line in zip(specs, table.lines, strict=True):
        row = findings.row("accuracy", metric, spec)
        lo, hi = (None, None) if row is None else (row.lo, row.hi)
        line.cells.insert(index, Cell(text=words.interval(lo, hi), value=lo))


def spread(findings: Findings) -> Table:
    """Statistics of the vectors that need no labels, and further costs."""
    return _of_metrics(findings, findings.contenders, SPREAD, "Spectra and further costs")


def differences(findings: Findings) -> Table:
    """Differences to the best, with intervals and tests."""
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
            cells += [Cell(text=words.digits(t), value=t), Cell(text=words.probability(p), value=p)]
        lines.append(_line(findings, spec, cells))
    titles = ["points behind the best", "95% interval"]
    if findings.labelled:
        titles += ["t (difference over standard error)", "p-value"]
    columns = [Column(title=title) for title in titles]
    return Table(
        caption="Difference to the best", first="representation", columns=columns, lines=lines
    )


def crossed(findings: Findings, kind: str, metric: str, caption: str, text: Format) -> Table:
    """One metric, with a column for each of its details (perturbations, label counts)."""
    details = findings.details(kind, metric)
    if set(details) <= set(findings.contenders):
        details = [spec for spec in findings.contenders if spec in details]
    specs = [s for s in findings.measured(kind, metric) if findings.details(kind, metric, s)]
    lines = []
    for spec in specs:
        values = [findings.value(kind, metric, spec, detail) for detail in details]
        lines.append(_line(findings, spec, [Cell(text=text(v), value=v) for v in values]))
    columns = [
        Column(title=findings.short.get(d, d), definition=PERTURBATIONS.get(d, "")) for d in details
    ]
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def confusions(names: list[str], counts: list[list[int]], max_lines: int = 10) -> Table:
    """The most frequent errors, by their share of the true class."""
    errors = [
        (count, count / max(sum(line), 1), names[i], names[j])
        for i, line in enumerate(counts)
        for j, count in enumerate(line)
        if i != j and count
    ]
    errors.sort(key=lambda error: (-error[1], error[2:]))
    columns = [
        Column(title="predicted class", wordy=True),
        Column(title="images"),
        Column(title="of the class"),
    ]
    lines = [
        Line(
            name=true,
            cells=[
                Cell(text=predicted, wordy=True),
                Cell(text=words.count(count), value=count),
                Cell(text=words.percent(share), value=share),
            ],
        )
        for count, share, true, predicted in errors[:max_lines]
    ]
    caption = "The most frequent errors"
    return Table(caption=caption, first="true class", columns=columns, lines=lines)


def recalls(findings: Findings) -> Table:
    """The recall of every class under every representation, if the run stored it."""
    return crossed(findings, "accuracy", "recall", "Recall of every class", words.percent)


def _of_metrics(
    findings: Findings, specs: list[str], metrics: Iterable[Metric], caption: str
) -> Table:
    measured = {(row.kind, row.metric) for row in findings.rows if row.value}
    present = [metric for metric in metrics if metric[:2] in measured]
    lines = [_line(findings, spec, [_cell(findings, spec, m) for m in present]) for spec in specs]
    columns = [Column(title=m.title, definition=m.definition) for m in present]
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def _cell(findings: Findings, spec: str, metric: Metric) -> Cell:
    detail = findings.leader if metric.kind == "difference" else ""
    value = findings.value(metric.kind, metric.metric, spec, detail)
    if metric.kind == "difference" and spec == findings.leader:
        return Cell(text="the best", value=2.0)
    bar = value if metric[:2] == ("accuracy", findings.measure) else None
    return Cell(text=metric.text(value), value=value, bar=bar)


def _line(findings: Findings, spec: str, cells: list[Cell]) -> Line:
    return Line(
        name=spec, cells=cells, standing=findings.standing(spec), note=_note(findings, spec)
    )


def _note(findings: Findings, spec: str) -> str:
    standing = findings.standing(spec)
    titles = {"pick": [findings.pick_note], "tied": ["tied with the best"], "control": ["control"]}
    notes = titles.get(standing, [])
    measured = findings.row("cost", "ms", spec)
    if measured is not None and len(findings.sizes) > 1:
        notes.append(f"read at {measured.S} pixels")
    if measured is not None and measured.fitted_on:
        notes.append(
            "fitted in each fold" if measured.fitted_on == "fold" else "fitted once on all"
        )
    if measured is not None and measured.fingerprint.startswith("object-"):
        notes.append("passed as an object")
    if findings.value("accuracy", "constant", spec):
        notes.append("constant: the same code for every image")
    return ", ".join(notes)
