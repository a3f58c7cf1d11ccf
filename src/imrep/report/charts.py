"""The plots, as Vega-Lite specifications: one function each, every one in a wide and narrow form.

Colours are the page's CSS variables (`var(--pick)`), which SVG understands: so dark mode, paper and
the static copies for readers without scripts need no second drawing. Shades are opacities of one
colour for the same reason.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from imrep.report import labels, words
from imrep.report.findings import PERTURBATIONS, Findings

Spec = dict[str, Any]
WIDE, NARROW = 700, 340  # px: the wide form is drawn where there is at least so much room
_COLOURS = {
    "pick": "var(--pick)",
    "equal": "var(--equal)",
    "rest": "var(--rest)",
    "control": "var(--control)",
}
_STANDING: Spec = {
    "field": "standing",
    "type": "nominal",
    "legend": None,
    "scale": {"domain": list(_COLOURS), "range": list(_COLOURS.values())},
}
_HALO: Spec = {"stroke": "var(--paper)", "strokeWidth": 3, "strokeJoin": "round"}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One plot.

    Args:
        id: Of its element in the page.
        alt: What it shows, in words, for who cannot see it.
        wide: Specification where there are 700 px.
        narrow: Specification for a phone.
    """

    id: str
    alt: str
    wide: Spec
    narrow: Spec


def _chart(id: str, alt: str, draw: Callable[[bool], Spec]) -> Chart:
    return Chart(id=id, alt=alt, wide=_framed(draw(False), alt), narrow=_framed(draw(True), alt))


def _framed(spec: Spec, alt: str) -> Spec:
    axis = {
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "titleFontWeight": 400,
        "gridColor": "var(--faint)",
        "domainColor": "var(--soft)",
        "tickColor": "var(--soft)",
        "labelFontSize": 12,
        "titleFontSize": 12,
    }
    config = {
        "font": "system-ui, -apple-system, 'Segoe UI', sans-serif",
        "axis": axis,
        "view": {"stroke": None},
        "text": {"fill": "var(--ink)", "fontSize": 12},
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": alt,
        "background": "transparent",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "width": "container",
        "config": config,
        **spec,
    }


def cost(findings: Findings) -> Chart:
    """Accuracy against milliseconds: dots with intervals, open dots for nearest neighbours."""
    specs = [*findings.contenders, *findings.controls]
    points = [_costed(findings, spec) for spec in specs]
    points = [point for point in points if point["accuracy"] is not None and point["ms"]]
    alt = "Accuracy, in per cent, against milliseconds of computing an image: " + "; ".join(
        f"{p['short']} {p['said']} at {words.digits(p['ms'])} ms" for p in points
    )
    return _chart("cost", alt, lambda narrow: _cost(findings, points, narrow))


def _costed(findings: Findings, spec: str) -> Spec:
    probe, knn = (findings.row("accuracy", metric, spec) for metric in ("probe", "knn"))
    accuracy = None if probe is None else probe.value
    return {
        "spec": spec,
        "short": findings.short[spec],
        "standing": findings.standing(spec),
        "ms": findings.value("cost", "ms", spec),
        "accuracy": _hundred(accuracy),
        "lo": _hundred(accuracy if probe is None or probe.lo is None else probe.lo),
        "hi": _hundred(accuracy if probe is None or probe.hi is None else probe.hi),
        "knn": _hundred(None if knn is None else knn.value),
        "said": words.percent(accuracy),
        "range": "" if probe is None else words.interval(probe.lo, probe.hi),
        "by neighbours": words.percent(None if knn is None else knn.value),
        "cost": f"{words.digits(findings.value('cost', 'ms', spec))} ms",
    }


def _cost(findings: Findings, points: list[Spec], narrow: bool) -> Spec:
    height, width = (430, NARROW - 50) if narrow else (460, WIDE - 60)
    times = [point["ms"] for point in points] or [1.0]
    low, high = min(times) / 1.6, max(times) * 1.6
    top = min(100.0, 5 * math.ceil(max([p["hi"] for p in points] + [20.0]) / 5))
    _label(points, (low, high), top, width, height)
    x = {
        "field": "ms",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": {
            "title": "milliseconds to encode an image, one thread →",
            "values": _ticks(low, high, 3 if narrow else 9),
            "format": "~r",
            "grid": False,
        },
    }
    y_axis = {"title": "↑ accuracy, %", "titleAngle": 0, "titleAlign": "left", "titleAnchor": "end"}
    y_axis |= {"titleX": 0, "titleY": -12, "domain": False, "ticks": False}
    y = {"type": "quantitative", "scale": {"domain": [0, top]}, "axis": y_axis}
    return {
        "height": height,
        "padding": {"left": 0, "right": 8, "top": 10, "bottom": 5},
        "data": {"values": points},
        "encoding": {"x": x, "color": _STANDING},
        "layer": [*_guess(findings, y), *_dots(y), *_names(y)],
    }


def _guess(findings: Findings, y: Spec) -> list[Spec]:
    if findings.guess is None:
        return []
    at = {"y": {"datum": 100 * findings.guess, **{k: v for k, v in y.items() if k != "field"}}}
    rule = {"type": "rule", "strokeDash": [2, 3], "stroke": "var(--warn)", "strokeWidth": 1.5}
    text = {"type": "text", "align": "right", "dy": 9, "fill": "var(--warn)", **_under()}
    text |= {"text": f"guessing {words.percent(findings.guess)}"}
    right = {"x": {"value": "width"}, "color": {"value": "var(--warn)"}}
    data: Spec = {"values": [{}]}
    return [
        {"data": data, "mark": rule, "encoding": {**at, "x": None, "color": None}},
        {"data": data, "mark": text, "encoding": {**at, **right}},
    ]


def _under() -> Spec:
    return {"baseline": "middle", "fontSize": 12}


def _dots(y: Spec) -> list[Spec]:
    told = [
        {"field": "spec", "title": "representation"},
        {"field": "said", "title": "accuracy"},
        {"field": "range", "title": "95% interval"},
        {"field": "by neighbours"},
        {"field": "cost", "title": "an image"},
    ]
    shape = {
        "condition": {"test": "datum.standing == 'control'", "value": "diamond"},
        "value": "circle",
    }
    seen = {"field": "accuracy", **y}
    return [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.55},
            "encoding": {"y": {"field": "lo", **y}, "y2": {"field": "hi"}},
        },
        {
            "transform": [{"filter": "isValid(datum.knn)"}],
            "mark": {"type": "point", "size": 34, "strokeWidth": 1.4, "fill": "var(--paper)"},
            "encoding": {"y": {"field": "knn", **y}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {"y": seen, "shape": shape, "tooltip": told},
        },
    ]


def _names(y: Spec) -> list[Spec]:
    bold = {"condition": {"test": "datum.standing == 'pick'", "value": 700}, "value": 400}
    layers = []
    for side, align, dx in (("right", "left", labels.GAP), ("left", "right", -labels.GAP)):
        text = {"type": "text", "align": align, "dx": dx, "baseline": "middle"}
        encoding = {"y": {"field": "at", **y}, "text": {"field": "short"}, "fontWeight": bold}
        keep = [{"filter": f"datum.side == '{side}'"}]
        halo: Spec = {"color": {"value": "var(--paper)"}}
        layers += [
            {"transform": keep, "mark": {**text, **_HALO}, "encoding": {**encoding, **halo}},
            {"transform": keep, "mark": text, "encoding": encoding},
        ]
    return layers


def _label(
    points: list[Spec], times: tuple[float, float], top: float, width: float, height: float
) -> None:
    """Write into each point on which side its name stands, and at which height."""
    low, high = (math.log(time) for time in times)
    order = sorted(points, key=lambda p: list(_COLOURS).index(p["standing"]))
    dots = [
        labels.Dot(
            (math.log(p["ms"]) - low) / (high - low) * width,
            *(height * (1 - p[name] / top) for name in ("accuracy", "hi", "lo")),
            p["short"],
        )
        for p in order
    ]
    for point, place in zip(order, labels.place(dots, width, height), strict=True):
        point["side"] = "" if place is None else "left" if place.left else "right"
        shift = 0 if place is None else place.shift
        point["at"] = point["accuracy"] - shift / height * top


def differences(findings: Findings) -> Chart:
    """Points behind the best, with intervals; zero is the best itself."""
    points = []
    for spec in findings.contenders:
        row = findings.row("difference", "probe", spec, findings.leader)
        if row is not None and row.value is not None:
            points.append(
                {
                    "spec": spec,
                    "short": findings.short[spec],
                    "standing": findings.standing(spec),
                    "gap": _hundred(row.value),
                    "lo": _hundred(row.value if row.lo is None else row.lo),
                    "hi": _hundred(row.value if row.hi is None else row.hi),
                    "said": f"{words.points(row.value)} points",
                    "range": f"{words.points(row.lo)} to {words.points(row.hi)}",
                }
            )
    alt = f"Points of accuracy behind {findings.leader}: " + "; ".join(
        f"{p['short']} {p['said']} ({p['range']})" for p in points
    )
    return _chart("differences", alt, lambda narrow: _differences(points, narrow))


def _differences(points: list[Spec], narrow: bool) -> Spec:
    told = [
        {"field": "spec", "title": "representation"},
        {"field": "said", "title": "behind the best"},
        {"field": "range", "title": "95% interval"},
    ]
    axis = {"title": "points of accuracy behind (−) or ahead (+) of the best", "tickCount": 6}
    x = {"type": "quantitative", "axis": axis}
    zero = {"mark": {"type": "rule", "stroke": "var(--ink)"}, "encoding": {"x": {"datum": 0, **x}}}
    bar = {
        "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.55},
        "encoding": {"x": {"field": "lo", **x}, "x2": {"field": "hi"}},
    }
    dot = {
        "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
        "encoding": {"x": {"field": "gap", **x}, "tooltip": told},
    }
    rows, above = _rows([p["short"] for p in points], narrow, 24)
    return {
        **rows,
        "data": {"values": points},
        "encoding": {**rows["encoding"], "color": _STANDING},
        "layer": [zero, bar, dot, *above],
    }


def curves(findings: Findings, metric: str, id: str, title: str) -> Chart:
    """Accuracy against a count (labels a class, side of the image), a line for each spec."""
    kind = "cost" if metric == "ms_size" else "accuracy"
    scale = 1 if kind == "cost" else 100
    said = words.digits if kind == "cost" else words.percent
    points = []
    for spec in findings.having(kind, metric):
        for detail in findings.details(kind, metric, spec):
            row = findings.row(kind, metric, spec, detail)
            if row is not None and row.value is not None:
                points.append(
                    {
                        "spec": spec,
                        "short": findings.short[spec],
                        "standing": findings.standing(spec),
                        "x": float(detail),
                        "y": scale * row.value,
                        "lo": scale * (row.value if row.lo is None else row.lo),
                        "hi": scale * (row.value if row.hi is None else row.hi),
                        "said": said(row.value),
                    }
                )
    alt = f"{title}: " + "; ".join(f"{p['short']} {p['said']} at {p['x']:.0f}" for p in points)
    return _chart(id, alt, lambda narrow: _curves(points, title, kind == "cost", narrow))


def _curves(points: list[Spec], title: str, log: bool, narrow: bool) -> Spec:
    height, width = 320, NARROW if narrow else WIDE
    xs = sorted({point["x"] for point in points})
    ends = {p["short"]: p for p in points}  # the last point of each line carries its name
    room = labels.LETTER * max(map(len, ends), default=0) + 20
    share = min(room / width, 0.55)
    far = xs[-1] * (xs[-1] / xs[0] if len(xs) > 1 else 2) ** (share / (1 - share))
    bottom, top = _limits(points, log)
    axis = {"title": title, "values": xs, "format": "~r", "grid": False}
    x_scale = {"type": "log", "domain": [xs[0], far], "nice": False}
    x = {"field": "x", "type": "quantitative", "axis": axis, "scale": x_scale}
    y_scale: Spec = {"domain": [bottom, top], "nice": False, "type": "log" if log else "linear"}
    y_axis = {"title": "↑ milliseconds an image" if log else "↑ accuracy, %", "titleAngle": 0}
    y_axis |= {"titleAlign": "left", "titleAnchor": "end", "titleX": 0, "titleY": -12}
    y_axis |= {"domain": False, "ticks": False}
    y_axis |= {"values": _ticks(bottom, top, 3), "format": "~r"} if log else {}
    y = {"type": "quantitative", "scale": y_scale, "axis": y_axis}
    names = _ended(list(ends.values()), bottom, top, height, log)
    each = {"field": "spec", "type": "nominal"}
    told = [{"field": "spec", "title": "representation"}, {"field": "x"}, {"field": "said"}]
    seen = {"field": "y", **y}
    line = {"type": "line", "strokeWidth": 2}
    dot = {"type": "point", "filled": True, "size": 50, "opacity": 1}
    band = {"type": "rule", "strokeWidth": 2.5, "opacity": 0.4}
    text = {"type": "text", "align": "left", "dx": 9, "baseline": "middle"}
    written = {"x": x, "y": {"field": "at", **y}, "text": {"field": "short"}, "color": _STANDING}
    return {
        "height": height,
        "padding": {"left": 0, "right": 5, "top": 10, "bottom": 5},
        "data": {"values": points},
        "encoding": {"x": x, "color": _STANDING},
        "layer": [
            {"mark": line, "encoding": {"y": seen, "detail": each}},
            {"mark": band, "encoding": {"y": {"field": "lo", **y}, "y2": {"field": "hi"}}},
            {"mark": dot, "encoding": {"y": seen, "tooltip": told}},
            {"data": {"values": names}, "mark": text, "encoding": written},
        ],
    }


def _limits(points: list[Spec], log: bool) -> tuple[float, float]:
    if log:
        return min(p["y"] for p in points) / 1.5, max(p["y"] for p in points) * 1.5
    return 0.0, min(100.0, 5 * math.ceil(max(p["hi"] for p in points) / 5))


def _ended(ends: list[Spec], bottom: float, top: float, height: float, log: bool) -> list[Spec]:
    """The names beside the lines' last points, moved apart where they would touch."""
    low, high = (math.log(bottom), math.log(top)) if log else (bottom, top)
    wanted = [(math.log(p["y"]) if log else p["y"]) for p in ends]
    heights = labels.spread([height * (1 - (w - low) / (high - low)) for w in wanted])
    back = [low + (1 - h / height) * (high - low) for h in heights]
    return [{**p, "at": math.exp(at) if log else at} for p, at in zip(ends, back, strict=True)]


def stability(findings: Findings) -> Chart:
    """Heat map: how far each change of the picture moves each vector."""
    names = findings.details("stability", "move")
    cells = []
    for spec in sorted(
        findings.having("stability", "move"),
        key=lambda spec: findings.value("stability", "moves", spec) or 0.0,
    ):
        for name in names:
            move = findings.value("stability", "move", spec, name)
            top = findings.value("stability", "top1", spec, name)
            if move is not None:
                cells.append(
                    {
                        "spec": spec,
                        "row": findings.short[spec],
                        "column": name,
                        "value": move,
                        "text": _bare(move),
                        "meaning": PERTURBATIONS.get(name, name),
                        "said": words.ratio(move),
                        "nearest": words.percent(top),
                    }
                )
    told = [
        {"field": "spec", "title": "representation"},
        {"field": "meaning", "title": "the picture"},
        {"field": "said", "title": "moves"},
        {"field": "nearest", "title": "original still the nearest"},
    ]
    alt = "How far each representation moves when the picture changes; numbers in the table below"
    return _chart(
        "stability", alt, lambda narrow: _heat(cells, told, narrow, numbers=True, colour="--heat")
    )


def likeness(findings: Findings) -> Chart:
    """Heat map: which representations find the same pictures alike (CKA)."""
    specs = findings.having("labelfree", "cka")
    number = {spec: i for i, spec in enumerate(specs, 1)}
    cells = []
    for one in specs:
        for two in specs:
            value = findings.value("labelfree", "cka", one, two)
            if value is None:
                value = 1.0 if one == two else findings.value("labelfree", "cka", two, one)
            if value is not None:
                cells.append(
                    {
                        "spec": one,
                        "other": two,
                        "row": f"{number[one]}  {findings.short[one]}",
                        "column": str(number[two]),
                        "value": value,
                        "text": _bare(value),
                        "said": words.ratio(value),
                    }
                )
    told = [
        {"field": "spec", "title": "one"},
        {"field": "other", "title": "other"},
        {"field": "said", "title": "alike"},
    ]
    alt = "How alike each two representations see the pictures, 0 to 1; numbers in the table below"
    few = len(specs) <= 14
    return _chart(
        "likeness", alt, lambda narrow: _heat(cells, told, narrow, numbers=few, colour="--equal")
    )


def confusion(names: Sequence[str], counts: Sequence[Sequence[int]], most: int = 16) -> Chart:
    """Heat map of the answers for each class; of many classes those most often confused."""
    shares = [[count / max(sum(line), 1) for count in line] for line in counts]
    chosen = _most_confused(shares, most)
    column = {j: str(rank) for rank, j in enumerate(chosen, 1)}
    cells = [
        {
            "true": names[i],
            "answer": names[j],
            "row": _wrapped(f"{column[i]}  {names[i]}"),
            "column": column[j],
            "value": shares[i][j],
            "text": "" if shares[i][j] < 0.005 else f"{100 * shares[i][j]:.0f}",
            "said": f"{words.percent(shares[i][j])} ({counts[i][j]} images)",
        }
        for i in chosen
        for j in chosen
    ]
    told = [
        {"field": "true", "title": "images of"},
        {"field": "answer", "title": "named as"},
        {"field": "said", "title": "share"},
    ]
    alt = (
        "Rows: the true class; columns: the answer, per cent of the row; errors in the table below"
    )
    return _chart(
        "confusion", alt, lambda narrow: _heat(cells, told, narrow, numbers=True, colour="--equal")
    )


def _most_confused(shares: list[list[float]], most: int) -> list[int]:
    if len(shares) <= most:
        return list(range(len(shares)))
    errors = [(s, i, j) for i, line in enumerate(shares) for j, s in enumerate(line) if i != j]
    chosen: list[int] = []
    for _, i, j in sorted(errors, key=lambda error: (-error[0], error[1:])):
        chosen += [k for k in (i, j) if k not in chosen and len(chosen) < most]
    return sorted(chosen[:most])


def _heat(cells: list[Spec], told: list[Spec], narrow: bool, *, numbers: bool, colour: str) -> Spec:
    order = list(dict.fromkeys(cell["row"] for cell in cells))
    columns = list(dict.fromkeys(cell["column"] for cell in cells))
    wordy = any(len(column) > 3 for column in columns)
    above = narrow and wordy  # few wide columns: names above; many numbered ones: at the side
    rows, names = _rows(order, above, 26 if len(order) < 20 else 20, cells_above=True)
    turned = {"labelAngle": -40, "labelAlign": "left"} if narrow and wordy else {"labelAngle": 0}
    axis = {"orient": "top", "title": None, "domain": False, "ticks": False, "labelLimit": 0}
    x = {"field": "column", "type": "nominal", "sort": columns, "axis": {**axis, **turned}}
    shade = {
        "field": "value",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [0.04, 1], "clamp": True},
    }
    height = {"height": {"band": 0.46}, "yOffset": 7} if above else {}
    rect = {"type": "rect", "fill": f"var({colour})", "stroke": "var(--paper)", **height}
    crowded = len(columns) > (10 if narrow else 30)
    text: Spec = {"type": "text", "fontSize": 10 if narrow else 12, **({"dy": 7} if above else {})}
    ink = {
        "condition": {"test": "datum.value > 0.6", "value": "var(--on-heat)"},
        "value": "var(--ink)",
    }
    layer = [{"mark": rect, "encoding": {"x": x, "fillOpacity": shade, "tooltip": told}}]
    if numbers and not crowded:
        layer.append({"mark": text, "encoding": {"x": x, "text": {"field": "text"}, "color": ink}})
    return {**rows, "data": {"values": cells}, "layer": [*layer, *names]}


def _rows(
    order: list[str], above: bool, step: int, *, cells_above: bool = False
) -> tuple[Spec, list[Spec]]:
    """A row for each name: at the side where there is room, else above its row, never cut."""
    key = "row" if cells_above else "short"
    axis = {"title": None, "labelLimit": 0, "domain": False, "ticks": False, "labelPadding": 8}
    axis |= {"labelColor": "var(--ink)", "labelExpr": "split(datum.label, '\\n')"}
    y = {"field": key, "type": "nominal", "sort": order, "axis": None if above else axis}
    spec: Spec = {"height": {"step": 40 if above else step}, "encoding": {"y": y}}
    spec["padding"] = {"left": 0, "right": 8, "top": 5, "bottom": 5}
    if not above:
        return spec, []
    mark = {"type": "text", "align": "left", "dy": -12, "baseline": "middle"}
    encoding = {"x": {"value": 0}, "text": {"field": "row"}, "color": {"value": "var(--ink)"}}
    return spec, [{"data": {"values": [{key: n, "row": n} for n in order]}, "mark": mark,
                   "encoding": encoding}]  # fmt: skip


def _wrapped(name: str, width: int = 24) -> str:
    """Lines of at most so many letters, broken at a space, - or _ where there is one."""
    lines = []
    while len(name) > width:
        cut = max((name.rfind(mark, 8, width) + 1 for mark in " _-"), default=0) or width
        lines.append(name[:cut].rstrip())
        name = name[cut:]
    return "\n".join([*lines, name])


def _ticks(low: float, high: float, per_decade: int) -> list[float]:
    """1, 2, 5 times powers of ten; only 1 in a narrow plot of many decades."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = math.log10(high / low) > per_decade
    steps = (1,) if wide else (1, 2, 5)
    found = [step * 10.0**decade for decade in decades for step in steps]
    return [round(tick, 6) for tick in found if low <= tick <= high]


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 3)


def _bare(number: float) -> str:
    """.48, 1.1: as short as a small cell needs."""
    return f"{number:.2f}".removeprefix("0") if number < 0.995 else f"{number:.1f}"
