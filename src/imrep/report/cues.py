"""The section on what the classes hang on: the loss in every variant of the images."""

from typing import Any

from imrep.report import frame, words
from imrep.report.findings import Findings
from imrep.report.frame import DOT, STANDING, Chart, Spec, hundred
from imrep.report.tables import Cell, Column, Line, Table

ORIGINAL = "as it is"
VARIANTS = {  # name: what is done, what is gone
    "no colour": ("the luma in all three channels", "colour"),
    "colour only": ("the same luma everywhere", "light and dark"),
    "8 px only": (
        "reduced to 8 × 8 pixels and enlarged again",
        "everything finer than an eighth of the side",
    ),
    "fine detail only": (
        "minus a Gaussian blur of a sixteenth of the side, around gray",
        "large shapes and colours",
    ),
    "blocks shuffled": ("sixteen blocks in a random order, another for each image", "layout"),
    "edges only": ("Canny edges of the luma", "all but outlines"),
    "same exposure": (
        "shifted and stretched to the same mean and standard deviation",
        "brightness and contrast",
    ),
}
_BAR_PX = 9


def context(findings: Findings) -> dict[str, Any]:
    """What the section refers to.

    judged: whose numbers there are, "" for the combination; images: the number of images of each;
    parts: what the combination is made of; legend: (standing, name) of each series of bars.
    """
    specs = _judged(findings)
    rows = {spec: findings.row("cues", "accuracy", spec, ORIGINAL) for spec in specs}
    return {
        "judged": specs,
        "images": {spec: row.n if row else 0 for spec, row in rows.items()},
        "parts": [findings.short[spec] for spec in findings.measured("cues", "part")],
        "legend": [(_standing(findings, spec), _name(findings, spec)) for spec in specs],
        "variants": VARIANTS,
    }


def charts(findings: Findings) -> list[Chart]:
    """The bars, if there are numbers."""
    if not _judged(findings):
        return []
    order = _order(findings)
    series = [[_point(findings, spec, name) for name in order] for spec in _judged(findings)]
    texts = [f"{p['of']}, {p['row']} {p['points']} ({p['95% interval']})"
             for points in series for p in points]  # fmt: skip
    alt = "Points of accuracy more than with the images as they are: " + "; ".join(texts)
    title = "Accuracy in every variant: difference to the images as they are"
    return [frame.chart("cues", title, alt, lambda narrow: _bars(series, order, narrow))]


def table(findings: Findings) -> Table:
    """Accuracies, differences and tests."""
    specs = _judged(findings)
    titles = ("accuracy", "difference, points", "p-value")
    columns = [
        Column(title=f"{_name(findings, spec)}: {title}" if len(specs) > 1 else title)
        for spec in specs
        for title in titles
    ]
    lines = [
        Line(name=name, cells=[cell for spec in specs for cell in _cells(findings, spec, name)])
        for name in (ORIGINAL, *VARIANTS)
        if specs
    ]
    caption = "Accuracy in every variant of the images"
    return Table(caption=caption, first="variant", columns=columns, lines=lines)


def _judged(findings: Findings) -> list[str]:
    """Whose numbers there are: "" for the combination, and the spec of a network."""
    rows = (row for row in findings.rows if (row.kind, row.metric) == ("cues", "accuracy"))
    return list(dict.fromkeys(row.spec for row in rows))


def _name(findings: Findings, spec: str) -> str:
    return findings.short[spec] if spec else "combination"


def _standing(findings: Findings, spec: str) -> str:
    return findings.standing(spec) if spec else "together"


def _order(findings: Findings) -> list[str]:
    """The variants, the largest loss first."""
    first = _judged(findings)[0]
    return sorted(VARIANTS, key=lambda name: findings.value("cues", "difference", first, name) or 0)


def _point(findings: Findings, spec: str, variant: str) -> Spec:
    row = findings.row("cues", "difference", spec, variant)
    accuracy = findings.row("cues", "accuracy", spec, variant)
    assert row is not None and accuracy is not None  # written for every variant
    return {
        "row": variant,
        "of": _name(findings, spec),
        "standing": _standing(findings, spec),
        "x": hundred(row.value),
        "lo": hundred(row.lo),
        "hi": hundred(row.hi),
        "points": words.points(row.value),
        "95% interval": f"{words.points(row.lo)} to {words.points(row.hi)}",
        "accuracy": words.percent(accuracy.value),
    }


def _bars(series: list[list[Spec]], order: list[str], narrow: bool) -> Spec:
    """A bar from zero for each variant and series, with its interval."""
    plot, names = frame.rows("row", order, 16 + 12 * len(series), above=narrow)
    if narrow:
        plot["height"] = (28 + 12 * len(series)) * len(order)
    x = {"type": "quantitative", "scale": {"padding": 10}}
    axis = {"title": "points less (−) or more (+) than as it is", "tickCount": 6, "grid": True}
    layers: list[Spec] = []
    for number, points in enumerate(series):
        offset = 12 * (number - (len(series) - 1) / 2) + (7 if narrow else 0)
        at = {"yOffset": offset}
        ends = {"x": {"field": "lo", **x}, "x2": {"field": "hi"}, "color": STANDING}
        bar = {"x": {"field": "x", **x, "axis": axis}, "x2": {"datum": 0}, "color": STANDING}
        tips = [{"field": name} for name in ("row", "of", "points", "95% interval", "accuracy")]
        values = {"values": points}
        layers += [
            {
                "data": values,
                "mark": {"type": "rule", "strokeWidth": _BAR_PX, "opacity": 0.4, **at},
                "encoding": {**bar, "tooltip": tips},
            },
            {"data": values, "mark": {"type": "rule", "strokeWidth": 2, **at}, "encoding": ends},
            {
                "data": values,
                "mark": {**DOT, "size": 45, **at},
                "encoding": {"x": bar["x"], "color": STANDING, "tooltip": tips},
            },
        ]
    zero = {"mark": {"type": "rule", "stroke": "var(--ink)"},
            "encoding": {"x": {"datum": 0, **x}, "y": None}}  # fmt: skip
    return {**plot, "data": {"values": series[0]}, "layer": [zero, *layers, *names]}


def _cells(findings: Findings, spec: str, variant: str) -> list[Cell]:
    accuracy = findings.row("cues", "accuracy", spec, variant)
    difference = findings.row("cues", "difference", spec, variant)
    p = findings.value("cues", "p_flip", spec, variant)
    cells = [Cell(text=words.percent(None))] * 2
    if accuracy is not None:
        ends = words.interval(accuracy.lo, accuracy.hi)
        cells[0] = Cell(text=f"{words.percent(accuracy.value)} ({ends})", value=accuracy.value)
    if difference is not None:
        ends = f"{words.points(difference.lo)} to {words.points(difference.hi)}"
        cells[1] = Cell(text=f"{words.points(difference.value)} ({ends})", value=difference.value)
    return [*cells, Cell(text=words.probability(p), value=p)]
