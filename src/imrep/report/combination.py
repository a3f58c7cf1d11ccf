"""The table of what is in each weighted combination."""

from imrep.report import words
from imrep.report.findings import Findings
from imrep.report.tables import Cell, Column, Table, line_of


def weights(findings: Findings) -> Table:
    """The weight of each part, and the share of the folds that chose it."""
    parts = [
        spec
        for spec in findings.contenders
        if any(spec in _parts(findings, name) for name in findings.combined)
    ]
    cells = {part: [c for name in findings.combined for c in _cells(findings, name, part)]
             for part in parts}  # fmt: skip
    largest = {part: max(cell.value or 0 for cell in cells[part][::2]) for part in parts}
    parts.sort(key=lambda part: -largest[part])
    columns = [
        Column(title=title)
        for name in findings.combined
        for title in (f"{name}: weight", f"{name}: folds that chose it")
    ]
    lines = [line_of(findings, part, cells[part]) for part in parts]
    caption = "Weights of the combination"
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def _parts(findings: Findings, name: str) -> list[str]:
    return findings.details("combination", "weight", name)


def _cells(findings: Findings, name: str, part: str) -> list[Cell]:
    weight = findings.value("combination", "weight", name, part)
    folds = findings.value("combination", "folds", name, part)
    return [Cell(text=words.percent(share), value=share) for share in (weight, folds)]
