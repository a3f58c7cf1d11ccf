"""Every number as a plain table, readable without a script and sortable with one."""

from dataclasses import dataclass

from imrep.report import words
from imrep.report.findings import PERTURBATIONS, Findings, Standing
from imrep.report.line_notes import standing_note
from imrep.report.metrics import Format


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A number: its text, its sort key (None last), its bar in [0, 1]. Or words."""

    text: str
    value: float | None = None
    bar: float | None = None
    wordy: bool = False


@dataclass(frozen=True, kw_only=True)
class Column:
    """A heading, the sentences that define it, and how it sorts.

    Args:
        title: The heading.
        definition: For the glossary under the table.
        wordy: Whether it holds words.
        low_first: Whether the smallest is of most interest, as of costs.
        ranks: Whether the table is in its descending order as long as nobody sorts it.
    """

    title: str
    definition: str = ""
    wordy: bool = False
    low_first: bool = False
    ranks: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """One spec's cells; its standing gives the colour, note and caution stand below the name."""

    name: str
    cells: list[Cell]
    standing: Standing = "other"
    note: str = ""
    caution: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns after the first, which holds the name, and lines."""

    caption: str
    first: str
    columns: list[Column]
    lines: list[Line]

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def bodies(self) -> list[list[Line]]:
        """The lines in groups that are sorted separately: ranked, combined, zero-shot, controls."""
        unranked = ("together", "zeroshot", "control")
        ranked = [line for line in self.lines if line.standing not in unranked]
        groups = [[line for line in self.lines if line.standing == each] for each in unranked]
        return [group for group in (ranked, *groups) if group]


def differences(findings: Findings) -> Table:
    """Differences to the best, with intervals and tests."""
    lines = []
    for spec in [*findings.contenders, *findings.combined]:
        row = findings.row("difference", findings.measure, spec, findings.leader)
        if row is None or spec == findings.leader:
            continue
        ends = f"{words.points(row.lo)} to {words.points(row.hi)}"
        cells = [
            Cell(text=words.points(row.value), value=row.value),
            Cell(text=ends, value=row.lo),
        ]
        if findings.predicted:
            t = findings.value("difference", "t", spec, findings.leader)
            p = findings.value("difference", "p_flip", spec, findings.leader)
            needed = findings.value("difference", "needed", spec, findings.leader)
            cells += [
                Cell(text=words.decimal_points(needed), value=needed),
                Cell(text=words.digits(t), value=t),
                Cell(text=words.probability(p), value=p),
            ]
        lines.append(line_of(findings, spec, cells))
    titles = ["points behind the best", "95% interval"]
    if findings.predicted:
        titles += ["needed to tell the two apart", "t (difference over standard error)", "p-value"]
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
        lines.append(line_of(findings, spec, [Cell(text=text(v), value=v) for v in values]))
    columns = [
        Column(title=findings.short.get(d, d), definition=PERTURBATIONS.get(d, "")) for d in details
    ]
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def recalls(findings: Findings) -> Table:
    """The recall of every class under every representation, if the run stored it."""
    return crossed(findings, "accuracy", "recall", "Recall of every class", words.percent)


def line_of(findings: Findings, spec: str, cells: list[Cell]) -> Line:
    """The line of a representation, with its standing in colour and in words."""
    standing, note = findings.standing(spec), standing_note(findings, spec)
    return Line(name=spec, cells=cells, standing=standing, note=note)
