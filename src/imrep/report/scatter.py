"""The scatter plot of accuracy against the time to encode an image."""

import math

from imrep.report import frame, labels, words
from imrep.report.findings import Findings
from imrep.report.frame import BAR, DOT, NARROW, PADDING, STANDING, WIDE, Chart, Spec, hundred

_MARGIN = 1.6  # times the largest cost, and below the smallest
_LOWEST = -30.0  # per cent: what explains less is drawn there
_TICK = "M-1.6,-.25L0,-.25L0,.25L-1.6,.25Z"  # on the right margin


def accuracy_and_cost(findings: Findings) -> Chart:
    """Accuracy against milliseconds: dots with intervals; open dots for k-nearest neighbours."""
    specs = [*findings.contenders, *findings.combined, *findings.controls]
    points = [_point(findings, spec) for spec in specs]
    points = _untimed_at_margins([point for point in points if point["y"] is not None])
    score = findings.score
    alt = f"{score.capitalize()} against milliseconds per image: " + "; ".join(
        f"{p['short']} {p[score]} at {p['time per image']}" for p in points
    )
    title = f"{findings.score.capitalize()} against time per image"
    return frame.chart("cost", title, alt, lambda narrow: _scatter(findings, points, narrow))


def untimed(findings: Findings) -> frozenset[str]:
    """What was made elsewhere, or of such vectors, in a time that nobody knows."""
    specs = (*findings.contenders, *findings.combined)
    return frozenset(spec for spec in specs if findings.value("cost", "ms", spec) is None)


def _point(findings: Findings, spec: str) -> Spec:
    probe = findings.row("accuracy", findings.measure, spec)
    knn = findings.value("accuracy", "knn", spec)
    ms = findings.value("cost", "ms", spec)
    accuracy, lo, hi = (None, None, None) if probe is None else (probe.value, probe.lo, probe.hi)
    return {
        **frame.identity(findings, spec),
        "symbol": _symbol(findings, spec),
        "ms": ms,
        "y": hundred(accuracy),
        "lo": hundred(accuracy if lo is None else lo),
        "hi": hundred(accuracy if hi is None else hi),
        "knn": hundred(knn),
        findings.score: words.percent(accuracy),
        "95% interval": words.interval(lo, hi),
        "by": next(iter(findings.details("accuracy", "by", spec)), "–"),
        findings.linear_score: words.percent(findings.value("accuracy", "linear", spec)),
        "k-NN accuracy": words.percent(knn),
        "time per image": "not measured" if ms is None else f"{words.digits(ms)} ms",
    }


def _symbol(findings: Findings, spec: str) -> str:
    """A combination is a diamond, vectors of the user a triangle or a tick, a control a square."""
    if spec in untimed(findings):
        return _TICK
    if spec in findings.own:
        return "triangle-up"
    return {"together": "diamond", "control": "square"}.get(findings.standing(spec), "circle")


def _untimed_at_margins(points: list[Spec]) -> list[Spec]:
    """Controls at half the smallest measured cost; contenders of unknown cost on the right."""
    times = [point["ms"] for point in points if point["ms"]]
    left, right = 0.5 * min(times, default=1.0), _MARGIN * max(times, default=1.0)
    return [
        {**point, "ms": point["ms"] or (right if point["symbol"] == _TICK else left)}
        for point in points
    ]


def _scatter(findings: Findings, points: list[Spec], narrow: bool) -> Spec:
    height, width = (430, NARROW - 50) if narrow else (460, WIDE - 60)
    times = [point["ms"] for point in points]
    ticks = any(point["symbol"] == _TICK for point in points)  # they lie on the margin
    low, high = (
        min(times, default=0.5) / _MARGIN,
        max(times, default=2.0) * (1 if ticks else _MARGIN),
    )
    top = min(100.0, 5 * math.ceil(max([p["hi"] for p in points] + [20.0]) / 5))
    bottom = min(0.0, max(_LOWEST, 5 * math.floor(min([p["lo"] for p in points] + [0.0]) / 5)))
    heights = ("y", "lo", "hi")
    points = [{**p, **{key: max(bottom, p[key]) for key in heights}} for p in points]
    x = {
        "field": "ms",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": {
            "title": "milliseconds per image →",
            "values": frame.ticks(low, high, 2 if narrow else 9),
            "format": "~r",
            "grid": False,
        },
    }
    return {
        "height": height,
        "padding": PADDING,
        "data": {"values": _with_labels(points, (low, high), (bottom, top), width, height)},
        "encoding": {"x": x, "color": STANDING},
        "layer": _layers(findings, {"type": "quantitative", "scale": {"domain": [bottom, top]}}),
    }


def _layers(findings: Findings, y: Spec) -> list[Spec]:
    """From back to front: intervals, the line of guessing, open dots, dots, names."""
    main = {"field": "y", **y, "axis": frame.vertical_axis(f"{findings.score}, %")}
    shape = {"field": "symbol", "type": "nominal", "scale": None, "legend": None}
    others = ["k-NN accuracy"] if findings.labelled else []
    others = [findings.linear_score, *others] if findings.details("accuracy", "linear") else others
    others = ["by", *others] if findings.details("accuracy", "by") else others
    tooltip = frame.tooltip(findings.score, "95% interval", *others, "time per image")
    ring = {"type": "point", "size": 34, "strokeWidth": 1.4, "fill": "var(--paper)"}
    dots = {"y": main, "shape": shape, "tooltip": tooltip}
    return [
        {"mark": BAR, "encoding": {"y": {"field": "lo", **y}, "y2": {"field": "hi"}}},
        *_guessing(findings, y),
        {"mark": ring, "encoding": {"y": {"field": "knn", **y}, "tooltip": tooltip}},
        {"mark": {**DOT, "size": 90}, "encoding": dots},
        *_names(y),
    ]


def _guessing(findings: Findings, y: Spec) -> list[Spec]:
    """A dotted line at the accuracy of guessing, and its name."""
    guess = findings.guess
    if guess is None:
        return []
    level = {"y": {"datum": 100 * guess, **y}, "color": {"value": "var(--warn)"}}
    rule = {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 1.5}
    text = {"type": "text", "align": "right", "dy": 10, "baseline": "middle"}
    name = "guessing" if findings.predicted else "random order"
    text["text"] = f"{name} {words.percent(guess)}"
    data: Spec = {"values": [{}]}
    return [
        {"data": data, "mark": rule, "encoding": {**level, "x": None}},
        {"data": data, "mark": text, "encoding": {**level, "x": {"value": "width"}}},
    ]


def _names(y: Spec) -> list[Spec]:
    """One layer for each anchor, since a layer has one alignment; the style sheet adds a halo."""
    return [
        {
            "name": f"names{anchor}",
            "transform": [{"filter": f"datum.anchor == {anchor}"}],
            "mark": {"type": "text", "align": align, "dx": dx, "baseline": "middle"},
            "encoding": {
                "y": {"field": "name_y", **y},
                "text": {"field": "short"},
                "color": frame.NAME_COLOUR,
            },
        }
        for anchor, (align, dx) in enumerate(labels.ANCHORS)
    ]


def _with_labels(
    points: list[Spec],
    times: tuple[float, float],
    limits: tuple[float, float],
    width: float,
    height: float,
) -> list[Spec]:
    """The points with the anchor and height of their names, -1 without; the pick comes first."""
    (low, high), (bottom, top) = (math.log(time) for time in times), limits

    def pixels(share: float) -> float:
        return height * (top - share) / (top - bottom)

    order = sorted(points, key=lambda point: frame.ORDER.index(point["standing"]))
    dots = [
        labels.Dot(
            x=(math.log(point["ms"]) - low) / (high - low) * width,
            y=pixels(point["y"]),
            top=pixels(point["hi"]),
            bottom=pixels(point["lo"]),
            name=point["short"],
        )
        for point in order
    ]
    placed = labels.placed(dots, width, height)
    return [
        {**point, "anchor": -1, "name_y": point["y"]}
        if label is None
        else {
            **point,
            "anchor": labels.ANCHORS.index((label.align, label.dx)),
            "name_y": top - (top - bottom) * label.y / height,
        }
        for point, label in zip(order, placed, strict=True)
    ]
