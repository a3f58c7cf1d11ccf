"""The section on image size: what another size gains, with intervals, and what it costs."""

from collections.abc import Callable, Sequence

from imrep.report import curves, differences, frame, words
from imrep.report.findings import Findings
from imrep.report.frame import Chart, Spec, hundred
from imrep.report.tables import Cell, Column, Line, Table

MAX_CURVES = 8  # the best; the tables have all
_MAX_GAINS = 4  # candidates whose gains are drawn, the recommended first
CellOf = Callable[[Findings, str, str, str, str], Cell]
_AXIS = "image size, pixels →"


def charts(findings: Findings) -> list[Chart]:
    """Gains over the main size, scores and times; those for which there are numbers."""
    plots = []
    if rows := _gain_rows(findings):
        plots.append(_gains(findings, rows))
    for kind, metric, id in (
        ("accuracy", f"{findings.measure}_size", "sizes"),
        ("cost", "ms_size", "size-costs"),
    ):
        specs = findings.measured(kind, metric)[:MAX_CURVES]
        if specs:
            plots.append(curves.curves(findings, metric, id, _AXIS, specs))
    return plots


def by_size(findings: Findings) -> dict[str, Table]:
    """Scores and gains with their intervals, and times, of every representation at every size."""
    score = f"{findings.measure}_size"
    return {
        "sizes": _crossed(
            findings, "accuracy", score, f"{findings.score.capitalize()} by image size", _score
        ),
        "size-gains": _crossed(
            findings, "difference", "size", f"Points more than at {main_size(findings)} px", _gain
        ),
        "size-costs": _crossed(findings, "cost", "ms_size", "Milliseconds by image size", _ms),
    }


def main_size(findings: Findings) -> int:
    """Side, px, at which all other numbers of the page were measured."""
    return findings.meta.S


def _gain_rows(findings: Findings) -> list[tuple[str, str]]:
    """(spec, size) of each gain that is drawn."""
    specs = sorted(
        findings.measured("difference", "size"),
        key=lambda spec: frame.ORDER.index(findings.standing(spec)),
    )
    return [
        (spec, size)
        for spec in specs[:_MAX_GAINS]
        for size in findings.details("difference", "size", spec)
    ]


def _gains(findings: Findings, rows: Sequence[tuple[str, str]]) -> Chart:
    own = main_size(findings)
    points: list[Spec] = []
    for spec, size in rows:
        row = findings.row("difference", "size", spec, size)
        assert row is not None  # it is one of those listed
        points.append(
            {
                **frame.identity(findings, spec),
                "row": f"{findings.short[spec]}, {size} px",
                "x": hundred(row.value),
                "lo": hundred(row.lo),
                "hi": hundred(row.hi),
                "points": words.points(row.value),
                "95% interval": f"{words.points(row.lo)} to {words.points(row.hi)}",
            }
        )
    alt = f"Points of {findings.score} more than at {own} px: " + "; ".join(
        f"{p['row']} {p['points']} ({p['95% interval']})" for p in points
    )
    title = f"{findings.score.capitalize()}: difference to that at {own} px"
    axis = f"points less (−) or more (+) than at {own} px"
    return frame.chart(
        "size-gains", title, alt, lambda narrow: differences.intervals(points, "row", axis, narrow)
    )


def _crossed(
    findings: Findings,
    kind: str,
    metric: str,
    caption: str,
    cell: CellOf,
) -> Table:
    sizes = sorted(findings.details(kind, metric), key=int)
    lines = [
        Line(
            name=spec,
            cells=[cell(findings, kind, metric, spec, size) for size in sizes],
            standing=findings.standing(spec),
        )
        for spec in findings.measured(kind, metric)
    ]
    columns = [Column(title=f"{size} px", low_first=kind == "cost") for size in sizes]
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def _score(findings: Findings, kind: str, metric: str, spec: str, size: str) -> Cell:
    row = findings.row(kind, metric, spec, size)
    if row is None:
        return Cell(text=words.percent(None))
    return Cell(
        text=f"{words.percent(row.value)} ({words.interval(row.lo, row.hi)})", value=row.value
    )


def _gain(findings: Findings, kind: str, metric: str, spec: str, size: str) -> Cell:
    row = findings.row(kind, metric, spec, size)
    if row is None:
        return Cell(text=words.points(None))
    ends = f"{words.points(row.lo)} to {words.points(row.hi)}"
    return Cell(text=f"{words.points(row.value)} ({ends})", value=row.value)


def _ms(findings: Findings, kind: str, metric: str, spec: str, size: str) -> Cell:
    value = findings.value(kind, metric, spec, size)
    return Cell(text=words.digits(value), value=value)
