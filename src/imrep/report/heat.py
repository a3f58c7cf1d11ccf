"""Heat maps: what moves each representation, which two agree, which classes are confused."""

from collections.abc import Sequence

from imrep.report import frame, words
from imrep.report.findings import PERTURBATIONS, Findings
from imrep.report.frame import Chart, Spec

_MOST_CLASSES = 16  # shown at once; of more, those that are confused most


def stability(findings: Findings) -> Chart:
    """How far each change of the picture moves each vector, the steadiest first."""
    specs = findings.having("stability", "move")
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
                        "text": _bare(move),
                        "the picture": PERTURBATIONS.get(name, name),
                        "moves": words.ratio(move),
                        "original still nearest": words.percent(nearest),
                    }
                )
    alt = "How far each representation moves when the picture changes; numbers in the table below"
    told = ("the picture", "moves", "original still nearest")
    return frame.chart("stability", alt, lambda narrow: _named(cells, told, narrow))


def likeness(findings: Findings) -> Chart:
    """Which representations find the same pictures alike (CKA)."""
    specs = findings.having("labelfree", "cka")
    cells = []
    for i, one in enumerate(specs, 1):
        for j, two in enumerate(specs, 1):
            there = findings.value("labelfree", "cka", one, two)
            back = findings.value("labelfree", "cka", two, one)
            value = 1.0 if one == two else back if there is None else there
            if value is not None:
                cells.append(
                    {
                        "spec": one,
                        "row": f"{i}  {findings.short[one]}",
                        "column": str(j),
                        "value": value,
                        "text": _bare(value),
                        "and": two,
                        "alike": words.ratio(value),
                    }
                )
    alt = "How alike each two representations see the pictures, 0 to 1; numbers in the table below"
    return frame.chart("likeness", alt, lambda narrow: _square(cells, ("and", "alike"), narrow))


def confusion(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Chart:
    """The answers for each class, in per cent; of many classes those most often confused."""
    shares = [[count / max(sum(line), 1) for count in line] for line in counts]
    chosen = _most_confused(shares)
    cells = [
        {
            "spec": names[i],
            "row": f"{row}  {names[i]}",
            "column": str(column),
            "value": shares[i][j],
            "text": "" if shares[i][j] < 0.005 else f"{100 * shares[i][j]:.0f}",
            "named as": names[j],
            "share": words.percent(shares[i][j]),
            "images": words.count(counts[i][j]),
        }
        for row, i in enumerate(chosen, 1)
        for column, j in enumerate(chosen, 1)
    ]
    alt = "Rows: the true class; columns: the answer, per cent of the row; errors in the table"
    told = ("named as", "share", "images")
    return frame.chart("confusion", alt, lambda narrow: _square(cells, told, narrow))


def _most_confused(shares: list[list[float]]) -> list[int]:
    if len(shares) <= _MOST_CLASSES:
        return list(range(len(shares)))
    errors = [(s, i, j) for i, line in enumerate(shares) for j, s in enumerate(line) if i != j]
    chosen: list[int] = []
    for _, i, j in sorted(errors, key=lambda error: (-error[0], *error[1:])):
        chosen += [k for k in (i, j) if k not in chosen and len(chosen) < _MOST_CLASSES]
    return sorted(chosen)


def _named(cells: list[Spec], told: Sequence[str], narrow: bool) -> Spec:
    """Columns with words above them; on a phone the rows' names stand above their rows."""
    order = list(dict.fromkeys(cell["row"] for cell in cells))
    plot, names = frame.rows("row", order, 26, above=narrow)
    turned = {"labelAngle": -40, "labelAlign": "left"} if narrow else {"labelAngle": 0}
    below: Spec = {"height": {"band": 0.46}, "yOffset": 7} if narrow else {}
    written: Spec = {"dy": 7, "fontSize": 10} if narrow else {}
    layers = _layers(cells, told, "var(--heat)", turned)
    layers[0]["mark"].update(below)
    layers[1]["mark"].update(written)
    return {**plot, "data": {"values": cells}, "layer": [*layers, *names]}


def _square(cells: list[Spec], told: Sequence[str], narrow: bool) -> Spec:
    """Columns under the numbers that the rows' names begin with."""
    width = 16 if narrow else 30
    cells = [{**cell, "row": frame.wrapped(cell["row"], width)} for cell in cells]
    order = list(dict.fromkeys(cell["row"] for cell in cells))
    plot, _ = frame.rows("row", order, 22 if len(order) > 12 else 28, above=False)
    small = narrow and len(order) > 12
    axis = {"labelAngle": 0, "labelFontSize": 9 if small else 12, "labelOverlap": True}
    layers = _layers(cells, told, "var(--equal)", axis)
    layers[1]["mark"]["fontSize"] = 10 if narrow else 12
    crowded = len(order) > (12 if narrow else 26)
    return {**plot, "data": {"values": cells}, "layer": layers[: 1 if crowded else 2]}


def _layers(cells: list[Spec], told: Sequence[str], colour: str, axis: Spec) -> list[Spec]:
    columns = list(dict.fromkeys(cell["column"] for cell in cells))
    above: Spec = {"orient": "top", "title": None, "domain": False, "ticks": False, "labelLimit": 0}
    x = {"field": "column", "type": "nominal", "sort": columns, "axis": {**above, **axis}}
    shade = {
        "field": "value",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [0.04, 1], "clamp": True},
    }
    ink = {
        "condition": {"test": "datum.value > 0.6", "value": "var(--on-heat)"},
        "value": "var(--ink)",
    }
    hover = [{"field": field, "title": field} for field in ("spec", *told)]
    rect = {"type": "rect", "fill": colour, "stroke": "var(--paper)"}
    return [
        {"mark": rect, "encoding": {"x": x, "fillOpacity": shade, "tooltip": hover}},
        {
            "mark": {"type": "text"},
            "encoding": {"x": x, "text": {"field": "text"}, "color": ink, "tooltip": hover},
        },
    ]


def _bare(number: float) -> str:
    """.48, 1.1: as short as a small cell needs."""
    return f"{number:.2f}".removeprefix("0") if number < 0.995 else f"{number:.1f}"
