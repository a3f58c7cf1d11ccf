"""The plots of accuracy: against cost, behind the best, against labels and size of image."""

import math

from imrep.report import frame, labels, words
from imrep.report.findings import Findings
from imrep.report.frame import NARROW, STANDING, WIDE, Chart, Spec, hundred

_PADDING: Spec = {"left": 0, "right": 8, "top": 12, "bottom": 5}
_BAR: Spec = {"type": "rule", "strokeWidth": 2.5, "opacity": 0.55}
_DOT: Spec = {"type": "point", "filled": True, "opacity": 1}


def cost(findings: Findings) -> Chart:
    """Accuracy against milliseconds: dots with intervals, open dots for nearest neighbours."""
    specs = [*findings.contenders, *findings.controls]
    points = [_costed(findings, spec) for spec in specs]
    points = _at_the_edge([point for point in points if point["y"] is not None])
    score = findings.score
    alt = f"{score.capitalize()} against the milliseconds of encoding an image: " + "; ".join(
        f"{p['short']} {p[score]} at {p['an image']}" for p in points
    )
    return frame.chart("cost", alt, lambda narrow: _cost(findings, points, narrow))


def differences(findings: Findings) -> Chart:
    """Points behind the best, with intervals; zero is the best itself."""
    points = [{**_who(findings, findings.leader), "x": 0, "lo": 0, "hi": 0, "points": "the best"}]
    for spec in findings.having("difference", findings.measure):
        row = findings.row("difference", findings.measure, spec, findings.leader)
        if row is not None and row.value is not None and spec != findings.leader:
            points.append(
                {
                    **_who(findings, spec),
                    "x": hundred(row.value),
                    "lo": hundred(row.value if row.lo is None else row.lo),
                    "hi": hundred(row.value if row.hi is None else row.hi),
                    "points": words.points(row.value),
                    "95% interval": f"{words.points(row.lo)} to {words.points(row.hi)}",
                }
            )
    alt = f"Points of {findings.score} behind {findings.leader}: " + "; ".join(
        f"{p['short']} {p['points']} ({p['95% interval']})" for p in points[1:]
    )
    return frame.chart("differences", alt, lambda narrow: _differences(points, narrow))


def curves(findings: Findings, metric: str, id: str, title: str) -> Chart:
    """Accuracy (or milliseconds) against a count: labels a class, side of the image."""
    timed = metric == "ms_size"
    kind, scale = ("cost", 1) if timed else ("accuracy", 100)
    points = []
    for spec in findings.having(kind, metric):
        for detail in findings.details(kind, metric, spec):
            row = findings.row(kind, metric, spec, detail)
            if row is not None and row.value is not None:
                said = f"{words.digits(row.value)} ms" if timed else words.percent(row.value)
                points.append(
                    {
                        **_who(findings, spec),
                        "x": float(detail),
                        "y": scale * row.value,
                        "lo": scale * (row.value if row.lo is None else row.lo),
                        "hi": scale * (row.value if row.hi is None else row.hi),
                        "at": f"{float(detail):.0f}",
                        "value": said,
                    }
                )
    alt = f"{title} " + "; ".join(f"{p['short']} {p['value']} at {p['at']}" for p in points)
    return frame.chart(id, alt, lambda narrow: _curves(points, title, timed, narrow))


def _who(findings: Findings, spec: str) -> Spec:
    standing = findings.standing(spec)
    return {"spec": spec, "short": findings.short[spec], "standing": standing}


def _told(*fields: str) -> list[Spec]:
    return [{"field": field, "title": field} for field in ("spec", *fields)]


def _costed(findings: Findings, spec: str) -> Spec:
    probe = findings.row("accuracy", findings.measure, spec)
    knn = findings.value("accuracy", "knn", spec)
    ms = findings.value("cost", "ms", spec)
    accuracy, lo, hi = (None, None, None) if probe is None else (probe.value, probe.lo, probe.hi)
    return {
        **_who(findings, spec),
        "ms": ms,
        "y": hundred(accuracy),
        "lo": hundred(accuracy if lo is None else lo),
        "hi": hundred(accuracy if hi is None else hi),
        "knn": hundred(knn),
        findings.score: words.percent(accuracy),
        "95% interval": words.interval(lo, hi),
        "by nearest neighbours": words.percent(knn),
        "an image": f"{words.digits(ms)} ms",
    }


def _at_the_edge(points: list[Spec]) -> list[Spec]:
    """Controls, whose cost is not measured, stand left of everything that has one."""
    edge = 0.5 * min((point["ms"] for point in points if point["ms"]), default=1.0)
    return [{**point, "ms": point["ms"] or edge} for point in points]


def _cost(findings: Findings, points: list[Spec], narrow: bool) -> Spec:
    height, width = (430, NARROW - 50) if narrow else (460, WIDE - 60)
    times = [point["ms"] for point in points]
    low, high = min(times, default=0.5) / 1.6, max(times, default=2.0) * 1.6
    top = min(100.0, 5 * math.ceil(max([p["hi"] for p in points] + [20.0]) / 5))
    points = _labelled(points, (low, high), top, width, height)
    x = {
        "field": "ms",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": {
            "title": "milliseconds to encode an image →",
            "values": frame.ticks(low, high, 2 if narrow else 9),
            "format": "~r",
            "grid": False,
        },
    }
    y = {"type": "quantitative", "scale": {"domain": [0, top]}}
    seen = {"field": "y", **y, "axis": frame.upright(f"{findings.score}, %")}
    shape = {
        "condition": {"test": "datum.standing == 'control'", "value": "diamond"},
        "value": "circle",
    }
    near = ["by nearest neighbours"] if findings.labelled else []
    told = _told(findings.score, "95% interval", *near, "an image")
    ring = {"type": "point", "size": 34, "strokeWidth": 1.4, "fill": "var(--paper)"}
    return {
        "height": height,
        "padding": _PADDING,
        "data": {"values": points},
        "encoding": {"x": x, "color": STANDING},
        "layer": [
            {"mark": _BAR, "encoding": {"y": {"field": "lo", **y}, "y2": {"field": "hi"}}},
            *_guess(findings, y),
            {"mark": ring, "encoding": {"y": {"field": "knn", **y}, "tooltip": told}},
            {
                "mark": {**_DOT, "size": 90},
                "encoding": {"y": seen, "shape": shape, "tooltip": told},
            },
            *_names(y),
        ],
    }


def _guess(findings: Findings, y: Spec) -> list[Spec]:
    guess = findings.guess
    if guess is None:
        return []
    at = {"y": {"datum": 100 * guess, **y}, "color": {"value": "var(--warn)"}}
    rule = {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 1.5}
    text = {"type": "text", "align": "right", "dy": 10, "baseline": "middle"}
    blind = "guessing" if findings.labelled else "random order"
    text["text"] = f"{blind} {words.percent(guess)}"
    data: Spec = {"values": [{}]}
    return [
        {"data": data, "mark": rule, "encoding": {**at, "x": None}},
        {"data": data, "mark": text, "encoding": {**at, "x": {"value": "width"}}},
    ]


def _names(y: Spec) -> list[Spec]:
    """One layer for each way a name can stand; the style sheet gives them a halo."""
    return [
        {
            "name": f"names{kind}",
            "transform": [{"filter": f"datum.stands == {kind}"}],
            "mark": {"type": "text", "align": align, "dx": dx, "baseline": "middle"},
            "encoding": {
                "y": {"field": "name_y", **y},
                "text": {"field": "short"},
                "color": frame.NAMED,
            },
        }
        for kind, (align, dx) in enumerate(labels.KINDS)
    ]


def _labelled(
    points: list[Spec], times: tuple[float, float], top: float, width: float, height: float
) -> list[Spec]:
    """The points with how and at which height their names stand, the pick's placed first."""
    low, high = (math.log(time) for time in times)
    order = sorted(points, key=lambda point: frame.ORDER.index(point["standing"]))
    dots = [
        labels.Dot(
            x=(math.log(point["ms"]) - low) / (high - low) * width,
            y=height * (1 - point["y"] / top),
            top=height * (1 - point["hi"] / top),
            bottom=height * (1 - point["lo"] / top),
            name=point["short"],
        )
        for point in order
    ]
    stands = labels.place(dots, width, height)
    return [
        {**point, "stands": -1, "name_y": point["y"]}
        if label is None
        else {
            **point,
            "stands": labels.KINDS.index((label.align, label.dx)),
            "name_y": top * (1 - label.y / height),
        }
        for point, label in zip(order, stands, strict=True)
    ]


def _differences(points: list[Spec], narrow: bool) -> Spec:
    axis = {"title": "points behind (−) or ahead (+) of the best", "tickCount": 6, "grid": True}
    x = {"type": "quantitative", "scale": {"padding": 10}}
    below: Spec = {"yOffset": 7} if narrow else {}
    zero = {"type": "rule", "stroke": "var(--ink)"}
    ends = {"x": {"field": "lo", **x}, "x2": {"field": "hi"}, "color": STANDING}
    middle = {"x": {"field": "x", **x, "axis": axis}, "color": STANDING}
    plot, names = frame.rows("short", [p["short"] for p in points], 24, above=narrow)
    return {
        **plot,
        "data": {"values": points},
        "layer": [
            {"mark": zero, "encoding": {"x": {"datum": 0, **x}, "y": None}},
            {"mark": {**_BAR, **below}, "encoding": ends},
            {
                "mark": {**_DOT, "size": 80, **below},
                "encoding": {**middle, "tooltip": _told("points", "95% interval")},
            },
            *names,
        ],
    }


def _curves(points: list[Spec], title: str, timed: bool, narrow: bool) -> Spec:
    sides = sorted({point["x"] for point in points})
    last = {p["spec"]: p for p in points}  # the last point of each line carries its name
    ends = [{**p, "name": frame.wrapped(p["short"], 16 if narrow else 40)} for p in last.values()]
    lines = sum(end["name"].count("\n") + 1 for end in ends)
    height, width = max(320, labels.LINE * lines), NARROW - 40 if narrow else WIDE - 50
    letters = max(len(line) for end in ends for line in end["name"].split("\n"))
    share = (labels.LETTER * letters + 20) / width
    far = sides[-1] * (sides[-1] / sides[0] * 1.2) ** (share / (1 - share))
    bottom, top = _limits(points, timed)
    x = {
        "field": "x",
        "type": "quantitative",
        "axis": {"title": title, "values": sides, "format": "~r", "grid": False},
        "scale": {"type": "log", "domain": [sides[0] / 1.08, far], "nice": False},
    }
    axis = frame.upright("milliseconds an image" if timed else "accuracy, %")
    axis |= {"values": frame.ticks(bottom, top, 3), "format": "~r"} if timed else {}
    scale = {"domain": [bottom, top], "nice": False, "type": "log" if timed else "linear"}
    y = {"type": "quantitative", "scale": scale, "axis": axis}
    seen = {"y": {"field": "y", **y}}
    line = {"type": "line", "strokeWidth": 2}
    name = {"type": "text", "align": "left", "dx": 9, "baseline": "middle", "lineBreak": "\n"}
    ends = _apart(ends, (bottom, top), height, timed)
    return {
        "height": height,
        "padding": _PADDING,
        "data": {"values": points},
        "encoding": {"x": x, "color": STANDING},
        "layer": [
            {"mark": line, "encoding": {**seen, "detail": {"field": "spec", "type": "nominal"}}},
            {"mark": _BAR, "encoding": {"y": {"field": "lo", **y}, "y2": {"field": "hi"}}},
            {
                "mark": {**_DOT, "size": 50},
                "encoding": {**seen, "tooltip": _told("at", "value")},
            },
            {
                "name": "names",
                "data": {"values": ends},
                "mark": name,
                "encoding": {
                    "y": {"field": "name_y", **y},
                    "text": {"field": "name"},
                    "color": frame.NAMED,
                },
            },
        ],
    }


def _limits(points: list[Spec], log: bool) -> tuple[float, float]:
    if log:
        return min(p["y"] for p in points) / 1.5, max(p["y"] for p in points) * 1.5
    return 0.0, min(100.0, 5 * math.ceil(max(p["hi"] for p in points) / 5))


def _apart(ends: list[Spec], limits: tuple[float, float], height: float, log: bool) -> list[Spec]:
    """The names at the lines' ends, moved up and down where they would touch."""
    into, back = (math.log, math.exp) if log else (float, float)
    low, high = map(into, limits)
    wanted = [height * (1 - (into(end["y"]) - low) / (high - low)) for end in ends]
    extra = [
        labels.LINE * end["name"].count("\n") for end in ends
    ]  # a name hangs from its first line
    middles = labels.spread(wanted, [labels.LINE + more for more in extra])
    tops = [middle - more / 2 for middle, more in zip(middles, extra, strict=True)]
    return [
        {**end, "name_y": back(low + (1 - top / height) * (high - low))}
        for end, top in zip(ends, tops, strict=True)
    ]
