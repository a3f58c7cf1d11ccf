"""The table of results: a line for each representation, combination and control."""

from collections.abc import Iterable
from dataclasses import replace

from imrep.report import words
from imrep.report.findings import MEASURES, Findings
from imrep.report.line_notes import caution, line_notes
from imrep.report.metrics import MAIN, SPREAD, Metric
from imrep.report.tables import Cell, Column, Line, Table, line_of
from imrep.results import Row

_COSTS = [metric.title for metric in MAIN if metric.kind == "cost"]


def main(findings: Findings) -> Table:
    """Contenders in order, then their combinations, zero-shot scores, and the controls."""
    specs = [*findings.contenders, *findings.combined, *findings.controls]
    controls = ", and the controls" if findings.controls else ""
    table = _of_metrics(findings, specs, MAIN, f"Every representation{controls}")
    for metric in MEASURES:
        _add_interval(findings, table, specs, metric)
    lines = [
        replace(
            line,
            note=line_notes(findings, line.name),
            caution=caution(findings, line.name),
        )
        for line in table.lines
    ]
    return replace(table, lines=[*lines, *_by_names(findings, table)])


def _by_names(findings: Findings, table: Table) -> list[Line]:
    """Scores by the names of the classes alone; gray, like a control, where these are numbers."""
    lines = []
    for row in findings.by_names:
        own = next(line for line in table.lines if line.name == row.spec)
        cells = []
        for column, cell in zip(table.columns, own.cells, strict=True):
            if column.ranks:
                cell = Cell(text=words.percent(row.value), value=row.value, bar=row.value)
            elif column.title == "95% interval":
                cell = Cell(text=words.interval(row.lo, row.hi), value=row.lo)
            elif column.title not in _COSTS:
                cell = Cell(text="–", wordy=column.wordy)
            cells.append(cell)
        are_numbers = row.detail == "numbers"
        lines.append(
            Line(
                name=f"{row.spec} by class names",
                cells=cells,
                standing="control" if are_numbers else "zeroshot",
                note="no labels needed: each class by its name alone, not ranked",
                caution="The names of the classes are numbers, which say nothing."
                if are_numbers
                else "",
            )
        )
    return lines


def spread(findings: Findings) -> Table:
    """Statistics of the vectors that need no labels, and further costs."""
    return _of_metrics(findings, findings.contenders, SPREAD, "Spectra and further costs")


def _add_interval(findings: Findings, table: Table, specs: list[str], metric: str) -> None:
    """Insert the 95 % interval of a score after its column, if there is one."""
    title = next(m.title for m in MAIN if (m.kind, m.metric) == ("accuracy", metric))
    titles = [column.title for column in table.columns]
    if title not in titles:
        return
    index = titles.index(title) + 1
    definition = (
        f"95% confidence interval of the {title} to its left: of 100 such ranges about 95 contain "
        "the value for new images of this kind."
    )
    table.columns.insert(index, Column(title="95% interval", definition=definition))
    for spec, line in zip(specs, table.lines, strict=True):
        row = findings.row("accuracy", metric, spec)
        lo, hi = (None, None) if row is None else (row.lo, row.hi)
        line.cells.insert(index, Cell(text=words.interval(lo, hi), value=lo))


def _of_metrics(
    findings: Findings, specs: list[str], metrics: Iterable[Metric], caption: str
) -> Table:
    measured = {(row.kind, row.metric) for row in findings.rows if _is_informative(row)}
    present = [metric for metric in metrics if metric[:2] in measured]
    lines = [line_of(findings, spec, [_cell(findings, spec, m) for m in present]) for spec in specs]
    columns = [
        Column(
            title=findings.linear_score if m.metric == "linear" else m.title,
            definition=m.definition,
            wordy=m.metric == "by",
            low_first=m.low_first,
            ranks=m[:2] == ("accuracy", findings.measure),
        )
        for m in present
    ]
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def _is_informative(row: Row) -> bool:
    """Not of a column of zeros, unless zero says something, as of a p-value."""
    return bool(row.value) or row.kind == "difference" or row.metric == "by"


def _cell(findings: Findings, spec: str, metric: Metric) -> Cell:
    if metric.metric == "by":
        chosen = findings.details("accuracy", "by", spec)
        return Cell(text=chosen[0] if chosen else "–", wordy=True)
    detail = findings.leader if metric.kind == "difference" else ""
    value = findings.value(metric.kind, metric.metric, spec, detail)
    if metric.kind == "difference" and spec == findings.leader:
        return Cell(text="the best", value=2.0)
    if metric[:2] == ("cost", "ms") and findings.value("cost", "ms_stated", spec):
        return Cell(text=f"{metric.text(value)}, as you said", value=value)
    ranks = metric[:2] == ("accuracy", findings.measure) and value is not None
    bar = max(value or 0.0, 0.0) if ranks else None
    return Cell(text=metric.text(value), value=value, bar=bar)
