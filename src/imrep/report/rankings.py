"""The section on several labels: average precision of each, and images that are ranked wrong."""

from typing import NamedTuple

from imrep.assets import Assets, Remark
from imrep.report import words
from imrep.report.findings import Findings
from imrep.report.tables import Cell, Column, Line, Table

_UNFOLDED = 4  # labels whose images are displayed at once


class Ranked(NamedTuple):
    """A tile of the sheet of remarked images.

    Attributes:
        tile: Its number.
        path: Of the file.
        caption: Its place among all images.
        labels: Those that it has.
    """

    tile: int
    path: str
    caption: str
    labels: str


class RankedWrong(NamedTuple):
    """Images of one label.

    Attributes:
        label: Its name.
        false: Images without it that rank high, the highest first.
        missed: Images with it that rank low, the lowest first.
    """

    label: str
    false: list[Ranked]
    missed: list[Ranked]


def table(findings: Findings) -> Table:
    """Every label: its average precision by the pick, and by guessing."""
    spec, meta = findings.pick or findings.leader, findings.meta
    lines = []
    for name in findings.details("data", "label"):
        count = findings.value("data", "label", detail=name) or 0
        precision = findings.value("accuracy", "label_precision", spec, name)
        share = count / max(meta.n, 1)
        cells = [
            Cell(text=words.percent(precision), value=precision, bar=precision),
            Cell(text=words.percent(share), value=share),
            Cell(text=words.count(count), value=count),
        ]
        lines.append(Line(name=name, cells=cells))
    lines.sort(key=lambda line: -(line.cells[0].value or 0))
    columns = [
        Column(title="average precision", ranks=True),
        Column(title="prevalence"),
        Column(title="images"),
    ]
    return Table(caption="Average precision of every label", first="label", columns=columns,
                 lines=lines)  # fmt: skip


def by_representation(findings: Findings) -> Table:
    """Average precision of every label, a column for each representation."""
    specs = findings.measured("accuracy", "label_precision")
    lines = []
    for name in findings.details("data", "label"):
        values = [findings.value("accuracy", "label_precision", spec, name) for spec in specs]
        cells = [Cell(text=words.percent(value), value=value) for value in values]
        lines.append(Line(name=name, cells=cells))
    columns = [Column(title=findings.short[spec]) for spec in specs]
    caption = "Average precision of every label by every representation"
    return Table(caption=caption, first="label", columns=columns, lines=lines if specs else [])


def ranked_wrong(assets: Assets) -> tuple[list[RankedWrong], list[RankedWrong]]:
    """The labels with images to look at: those displayed at once, and those folded away."""
    sections = {name: _ranked(assets, name) for name in ("false", "missed")}
    labels = dict.fromkeys(label for pairs in sections.values() for label, _ in pairs)
    every = [
        RankedWrong(label, *([c for own, c in sections[s] if own == label] for s in sections))
        for label in labels
    ]
    return every[:_UNFOLDED], every[_UNFOLDED:]


def _ranked(assets: Assets, section: str) -> list[tuple[str, Ranked]]:
    """Label and tile of each image of a section of the sheet."""
    first = 0
    for name, remarks in assets.remarks.items():
        if name == section:
            return [
                (
                    remark.label,
                    Ranked(first + i, remark.path, _caption(section, remark), remark.other),
                )
                for i, remark in enumerate(remarks)
            ]
        first += len(remarks)
    return []


def _caption(section: str, remark: Remark) -> str:
    """Whole per cent, rounded down, so that "above" and "below" are true."""
    side, share = ("above", remark.p) if section == "false" else ("below", 1 - remark.p)
    return f"{side} {int(100 * share + 1e-9)}%"
