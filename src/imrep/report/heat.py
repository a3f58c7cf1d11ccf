"""Heat maps: robustness, similarity of representations."""

from collections.abc import Sequence

from imrep.report import frame, words
from imrep.report.findings import PERTURBATIONS, Findings
from imrep.report.frame import Chart, Spec


def stability(findings: Findings) -> Chart:
    """Displacement of each vector under each perturbation, in ascending mean."""
    specs = findings.measured("stability", "move")
    specs.sort(key=lambda spec: findings.value("stability", "moves", spec) or 0.0)
    cells = []
    for spec in specs:
        for name in findings.details("stability", "move"):
            move = findings.value("stability", "move", spec, name)
            nearest = findings.value("stability", "top1", spec, name)
            if move is not None:
                cells.append(
                    {
                        "spec": spec,
                        "row": findings.short[spec],
                        "column": name,
                        "value": move,
                        "text": _two_digits(move),
                        "perturbation": PERTURBATIONS.get(name, name),
                        "displacement": words.ratio(move),
                        "original is the nearest": words.percent(nearest),
                    }
                )
    alt = "Displacement of each representation under each perturbation; numbers in the table below"
    fields = ("perturbation", "displacement", "original is the nearest")
    return frame.chart(
        "stability",
        "Displacement under perturbations",
        alt,
        lambda narrow: _perturbations(cells, fields, narrow),
    )


def similarity(findings: Findings) -> Chart:
    """Linear CKA of each pair of representations."""
    specs = findings.measured("labelfree", "cka")
    cells = []
    for i, first in enumerate(specs, 1):
        for j, second in enumerate(specs, 1):
            value = _cka(findings, first, second)
            if value is not None:
                cells.append(
                    {
                        "spec": first,
                        "row": f"{i}  {findings.short[first]}",
                        "column": str(j),
                        "value": value,
                        "text": _two_digits(value),
                        "and": second,
                        "CKA": words.ratio(value),
                    }
                )
    alt = "Similarity (CKA) of each pair of representations, 0 to 1; numbers in the table below"
    return frame.chart(
        "similarity",
        "Similarity of representations",
        alt,
        lambda narrow: _square(cells, ("and", "CKA"), narrow),
    )


def _cka(findings: Findings, first: str, second: str) -> float | None:
    """CKA is symmetric: either order of the pair may be in the rows."""
    if first == second:
        return 1.0
    value = findings.value("labelfree", "cka", first, second)
    return findings.value("labelfree", "cka", second, first) if value is None else value


def _perturbations(cells: list[Spec], fields: Sequence[str], narrow: bool) -> Spec:
    """Columns with their names above them; if narrow, the rows' names stand above the rows."""
    order = list(dict.fromkeys(cell["row"] for cell in cells))
    plot, names = frame.rows("row", order, 26, above=narrow)
    layers = _layers(
        cells,
        fields,
        colour="var(--heat)",
        axis={"labelAngle": -40, "labelAlign": "left"} if narrow else {"labelAngle": 0},
    )
    if narrow:
        layers[0]["mark"].update({"height": {"band": 0.46}, "yOffset": 7})
        layers[1]["mark"].update({"dy": 7, "fontSize": 10})
    return {**plot, "data": {"values": cells}, "layer": [*layers, *names]}


def _square(cells: list[Spec], fields: Sequence[str], narrow: bool) -> Spec:
    """Columns under the numbers that the rows' names begin with."""
    width = 16 if narrow else 30
    cells = [{**cell, "row": frame.wrapped(cell["row"], width)} for cell in cells]
    order = list(dict.fromkeys(cell["row"] for cell in cells))
    plot, _ = frame.rows("row", order, 22 if len(order) > 12 else 28, above=False)
    small = narrow and len(order) > 12
    axis = {"labelAngle": 0, "labelFontSize": 9 if small else 12, "labelOverlap": True}
    layers = _layers(cells, fields, colour="var(--cool)", axis=axis)
    layers[1]["mark"]["fontSize"] = 10 if narrow else 12
    crowded = len(order) > (12 if narrow else 26)
    return {**plot, "data": {"values": cells}, "layer": layers[: 1 if crowded else 2]}


def _layers(cells: list[Spec], fields: Sequence[str], *, colour: str, axis: Spec) -> list[Spec]:
    """Two layers: coloured rectangles, and the numbers on them."""
    columns = list(dict.fromkeys(cell["column"] for cell in cells))
    above: Spec = {"orient": "top", "title": None, "domain": False, "ticks": False, "labelLimit": 0}
    x = {"field": "column", "type": "nominal", "sort": columns, "axis": {**above, **axis}}
    opacity = {
        "field": "value",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [0.04, 1], "clamp": True},
    }
    ink = {"value": "var(--ink)"}  # legible on every shade of both colours
    tooltip = frame.tooltip(*fields)
    rect = {"type": "rect", "fill": colour, "stroke": "var(--paper)"}
    return [
        {"mark": rect, "encoding": {"x": x, "fillOpacity": opacity, "tooltip": tooltip}},
        {
            "mark": {"type": "text"},
            "encoding": {"x": x, "text": {"field": "text"}, "color": ink, "tooltip": tooltip},
        },
    ]


def _two_digits(number: float) -> str:
    """.48, 1.1: as short as a small cell needs."""
    return f"{number:.2f}".removeprefix("0") if number < 0.995 else f"{number:.1f}"
