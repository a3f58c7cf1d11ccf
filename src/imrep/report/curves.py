"""Curves: accuracy, or time, against the number of labels or the size of the image.

Colours say the standing, so several lines share one. Dashes and markers tell them apart; the marker
stands again beside the name at the end of the line.
"""

import math
from collections.abc import Sequence

from imrep.report import frame, labels, words
from imrep.report.findings import Findings
from imrep.report.frame import BAR, DOT, NARROW, PADDING, STANDING, WIDE, Chart, Spec

_SHIFT = 1.015  # factor between neighbouring lines, so that their intervals lie side by side
_LOWEST = -30.0  # per cent: a score may be below that of guessing, and then it hardly matters
_DASHES = ([1, 0], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4])
_MARKERS = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def curves(
    findings: Findings, metric: str, id: str, title: str, specs: Sequence[str] | None = None
) -> Chart:
    """A line for each representation.

    Args:
        findings: The run.
        metric: "probe_curve", "probe_size" or "retrieval_size" for scores, "ms_size" for
            milliseconds.
        id: Of the plot.
        title: Of the horizontal axis.
        specs: The representations; None for all that were measured.
    """
    timed = metric == "ms_size"
    kind, scale = ("cost", 1) if timed else ("accuracy", 100)
    shift = 1.0 if timed else _SHIFT  # times have no intervals
    points = []
    specs = findings.measured(kind, metric) if specs is None else specs
    for number, spec in enumerate(specs):
        for detail in findings.details(kind, metric, spec):
            row = findings.row(kind, metric, spec, detail)
            if row is not None and row.value is not None:
                text = f"{words.digits(row.value)} ms" if timed else words.percent(row.value)
                points.append(
                    {
                        **frame.identity(findings, spec),
                        "x": float(detail) * shift ** (number - (len(specs) - 1) / 2),
                        "tick": float(detail),
                        "y": _at_least(scale * row.value),
                        "lo": _at_least(scale * (row.value if row.lo is None else row.lo)),
                        "hi": _at_least(scale * (row.value if row.hi is None else row.hi)),
                        "at": f"{float(detail):.0f}",
                        "value": text,
                    }
                )
    axis = "milliseconds per image" if timed else f"{findings.score}, %"
    alt = f"{title} " + "; ".join(f"{p['short']} {p['value']} at {p['at']}" for p in points)
    name = f"{'Time' if timed else findings.score.capitalize()} against {title.removesuffix(' →')}"
    return frame.chart(id, name, alt, lambda narrow: _lines(points, (title, axis), timed, narrow))


def _lines(points: list[Spec], titles: tuple[str, str], timed: bool, narrow: bool) -> Spec:
    last = {p["spec"]: p for p in points}  # the last point of each line carries its name
    right = {p["tick"]: p["x"] for p in sorted(points, key=lambda p: p["x"])}
    ends = [
        {**p, "x": right[p["tick"]], "name": frame.wrapped(p["short"], 16 if narrow else 40)}
        for p in last.values()
    ]
    lines = sum(end["name"].count("\n") + 1 for end in ends)
    height, width = max(320, labels.LINE * lines), NARROW - 40 if narrow else WIDE - 50
    bottom, top = _limits(points, timed)
    axis = frame.vertical_axis(titles[1])
    axis |= {"values": frame.ticks(bottom, top, 3), "format": "~r"} if timed else {}
    scale = {"domain": [bottom, top], "nice": False, "type": "log" if timed else "linear"}
    y: Spec = {"type": "quantitative", "scale": scale, "axis": axis}
    ends = _without_overlaps(ends, (bottom, top), height, timed)
    return {
        "height": height,
        "padding": PADDING,
        "data": {"values": points},
        "encoding": {"x": _x(points, ends, titles[0], width), "color": STANDING},
        "layer": _layers(ends, y),
    }


def _x(points: list[Spec], ends: list[Spec], title: str, width: float) -> Spec:
    """The horizontal axis, which goes on beyond the last point as far as the names need."""
    values = sorted({point["tick"] for point in points})
    letters = max(len(line) for end in ends for line in end["name"].split("\n"))
    share = (labels.LETTER * letters + 32) / width
    end = values[-1] * (values[-1] / values[0] * 1.2) ** (share / (1 - share))
    return {
        "field": "x",
        "type": "quantitative",
        "axis": {"title": title, "values": values, "format": "~r", "grid": False},
        "scale": {"type": "log", "domain": [values[0] / 1.12, end], "nice": False},
    }


def _layers(ends: list[Spec], y: Spec) -> list[Spec]:
    """Lines, intervals, markers, and at the end of each line its marker and name."""
    height = {"y": {"field": "y", **y}}
    line = {"type": "line", "strokeWidth": 2}
    name = {"type": "text", "align": "left", "dx": 21, "baseline": "middle", "lineBreak": "\n"}
    specs = [end["spec"] for end in sorted(ends, key=lambda end: end["standing"] != "pick")]
    dash, shape = _by_spec(specs, _DASHES), _by_spec(specs, _MARKERS)
    tooltip = frame.tooltip("at", "value")
    return [
        {"mark": line, "encoding": {**height, "strokeDash": dash}},
        {"mark": BAR, "encoding": {"y": {"field": "lo", **y}, "y2": {"field": "hi"}}},
        {"mark": {**DOT, "size": 60}, "encoding": {**height, "shape": shape, "tooltip": tooltip}},
        {
            "name": "keys",
            "data": {"values": ends},
            "mark": {**DOT, "size": 45, "xOffset": 13},
            "encoding": {"y": {"field": "name_y", **y}, "shape": shape},
        },
        {
            "name": "names",
            "data": {"values": ends},
            "mark": name,
            "encoding": {
                "y": {"field": "name_y", **y},
                "text": {"field": "name"},
                "color": frame.NAME_COLOUR,
            },
        },
    ]


def _by_spec(specs: list[str], values: Sequence[object]) -> Spec:
    """An encoding that gives the specs these values in turn."""
    chosen = [values[i % len(values)] for i in range(len(specs))]
    scale = {"domain": specs, "range": chosen}
    return {"field": "spec", "type": "nominal", "legend": None, "scale": scale}


def _at_least(value: float) -> float:
    return max(value, _LOWEST)


def _limits(points: list[Spec], log: bool) -> tuple[float, float]:
    if log:
        return min(p["y"] for p in points) / 1.5, max(p["y"] for p in points) * 1.5
    low, high = min(p["lo"] for p in points), max(p["hi"] for p in points)
    bottom = max(_LOWEST if low < 0 else 0.0, 5 * math.floor(low / 5) - 5)
    return bottom, min(100.0, max(bottom + 10, 5 * math.ceil(high / 5)))


def _without_overlaps(
    ends: list[Spec], limits: tuple[float, float], height: float, log: bool
) -> list[Spec]:
    """The names at the lines' ends, moved up and down where they would overlap."""
    forward, backward = (math.log, math.exp) if log else (float, float)
    low, high = map(forward, limits)
    targets = [height * (1 - (forward(end["y"]) - low) / (high - low)) for end in ends]
    # a name hangs from its first line, so its centre lies below its anchor by half of the others
    extra = [labels.LINE * end["name"].count("\n") for end in ends]
    centres = labels.spread(targets, [labels.LINE + more for more in extra])
    tops = [centre - more / 2 for centre, more in zip(centres, extra, strict=True)]
    return [
        {**end, "name_y": backward(low + (1 - top / height) * (high - low))}
        for end, top in zip(ends, tops, strict=True)
    ]
