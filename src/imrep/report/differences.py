"""The plot of differences to the most accurate representation, with their intervals."""

from imrep.report import frame, words
from imrep.report.findings import Findings
from imrep.report.frame import BAR, DOT, STANDING, Chart, Spec, hundred


def differences(findings: Findings) -> Chart:
    """Points behind the best, with intervals; zero is the best itself."""
    best = {"x": 0, "lo": 0, "hi": 0, "points": "the best"}
    points: list[Spec] = [{**frame.identity(findings, findings.leader), **best}]
    for spec in [*findings.measured("difference", findings.measure), *findings.combined]:
        row = findings.row("difference", findings.measure, spec, findings.leader)
        if row is not None and row.value is not None and spec != findings.leader:
            points.append(
                {
                    **frame.identity(findings, spec),
                    "x": hundred(row.value),
                    "lo": hundred(row.value if row.lo is None else row.lo),
                    "hi": hundred(row.value if row.hi is None else row.hi),
                    "needed": _needed(findings, spec),
                    "points": words.points(row.value),
                    "95% interval": f"{words.points(row.lo)} to {words.points(row.hi)}",
                }
            )
    title = f"{findings.score.capitalize()}: difference to the best"
    alt = f"Points of {findings.score} behind {findings.leader}: " + "; ".join(
        f"{p['short']} {p['points']} ({p['95% interval']})" for p in points[1:]
    )
    axis = "points behind (−) or ahead (+) of the best"
    return frame.chart(
        "differences", title, alt, lambda narrow: intervals(points, "short", axis, narrow)
    )


def _needed(findings: Findings, spec: str) -> float | None:
    """Points behind the best at which the test tells the two apart."""
    needed = findings.value("difference", "needed", spec, findings.leader)
    return -round(100 * needed, 3) if needed else None


def intervals(points: list[Spec], name: str, title: str, narrow: bool) -> Spec:
    """A row for each point, named by a field of it: its interval beside the line of zero."""
    axis = {"title": title, "tickCount": 6, "grid": True}
    x = {"type": "quantitative", "scale": {"padding": 10}}
    below: Spec = {"yOffset": 7} if narrow else {}
    zero = {"type": "rule", "stroke": "var(--ink)"}
    stroke = {"type": "tick", "thickness": 1.5, "size": 13, "color": "var(--ink)", **below}
    needed = {"x": {"field": "needed", **x}}
    ends = {"x": {"field": "lo", **x}, "x2": {"field": "hi"}, "color": STANDING}
    middle = {"x": {"field": "x", **x, "axis": axis}, "color": STANDING}
    tooltip = frame.tooltip("points", "95% interval")
    plot, names = frame.rows(name, [p[name] for p in points], 24, above=narrow)
    return {
        **plot,
        "data": {"values": points},
        "layer": [
            {"mark": zero, "encoding": {"x": {"datum": 0, **x}, "y": None}},
            {"mark": {**BAR, **below}, "encoding": ends},
            {
                "mark": stroke,
                "transform": [{"filter": "isValid(datum.needed)"}],
                "encoding": needed,
            },
            {"mark": {**DOT, "size": 80, **below}, "encoding": {**middle, "tooltip": tooltip}},
            *names,
        ],
    }
