"""The reliability diagram of the recommended representation, and the table of probabilities."""

from imrep.report import frame, words
from imrep.report.confusion import spec
from imrep.report.findings import Findings
from imrep.report.frame import BAR, DOT, PADDING, Chart, Spec
from imrep.report.tables import Cell, Column, Table, line_of

_MIN_IMAGES = 20  # sure answers, below which no sentence is made of them


def chart(findings: Findings) -> Chart | None:
    """The share of right answers against their probability; None without probabilities."""
    points = _points(findings)
    if not points:
        return None
    listed = "; ".join(f"{p['says']} says, {p['right']} right" for p in points)
    alt = f"Share of right answers against the probability that was given. {listed}."
    title = "Reliability of the probabilities"
    return frame.chart("reliability", title, alt, lambda _: _plot(points))


def sentence(findings: Findings) -> str:
    """What 90% means; empty where fewer than 20 answers are as sure."""
    row = findings.row("probability", "sure", spec(findings))
    images = findings.value("probability", "sure_images", spec(findings)) or 0
    if row is None or images < _MIN_IMAGES:
        return ""
    interval = words.interval(row.lo, row.hi)
    return (
        f"When it says 90% or more, it is right in {words.percent(row.value)} of cases "
        f"(95% interval {interval}; {words.count(images)} images)."
    )


def table(findings: Findings) -> Table:
    """Loss, calibration error and temperature of every representation."""
    columns = [
        Column(
            title="log loss",
            definition="Mean of −log p of the true class, in nats. Guessing has the logarithm of "
            "the number of classes.",
            low_first=True,
        ),
        Column(
            title="calibration error",
            definition="Expected calibration error: mean distance between the probability and the "
            "share of right answers, over 15 bins. A perfect model has 2 to 4 points with 400 "
            "images.",
            low_first=True,
        ),
        Column(
            title="temperature",
            definition="Factor of the scores before the softmax, fitted in each training part.",
        ),
    ]
    lines = []
    for name in [*findings.contenders, *findings.combined]:
        loss, error, factor = (
            findings.value("probability", metric, name) for metric in ("nll", "ece", "temperature")
        )
        if loss is not None:
            cells = [
                Cell(text=words.ratio(loss), value=loss),
                Cell(text=f"{words.decimal_points(error)} points", value=error),
                Cell(text=words.digits(factor), value=factor),
            ]
            lines.append(line_of(findings, name, cells))
    caption = "Probabilities"
    return Table(caption=caption, first="representation", columns=columns, lines=lines)


def _points(findings: Findings) -> list[Spec]:
    points, name = [], spec(findings)
    for detail in findings.details("probability", "right", name):
        row = findings.row("probability", "right", name, detail)
        says = findings.value("probability", "confidence", name, detail)
        if row is not None and says is not None:
            points.append(
                {
                    "spec": name,
                    "x": frame.hundred(says),
                    "y": frame.hundred(row.value),
                    "lo": frame.hundred(row.lo),
                    "hi": frame.hundred(row.hi),
                    "says": words.percent(says),
                    "right": words.percent(row.value),
                    "95% interval": words.interval(row.lo, row.hi),
                }
            )
    return points


def _plot(points: list[Spec]) -> Spec:
    scale = {"domain": [0, 100], "nice": False}
    ticks = list(range(0, 101, 20))
    x_axis = {"title": "probability of the answer, % →", "grid": False, "values": ticks}
    y_axis = frame.vertical_axis("share that is right, %", values=ticks)
    x: Spec = {"type": "quantitative", "scale": scale, "axis": x_axis}
    y: Spec = {"type": "quantitative", "scale": scale, "axis": y_axis}
    ends = [{"x": 0, "y": 0}, {"x": 100, "y": 100}]
    colour = {"color": {"value": "var(--pick)"}}
    tooltip = frame.tooltip("says", "right", "95% interval")
    return {
        "height": 320,
        "padding": PADDING,
        "data": {"values": points},
        "encoding": {"x": {"field": "x", **x}},
        "layer": [
            {
                "data": {"values": ends},
                "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1.5},
                "encoding": {"y": {"field": "y", **y}, "color": {"value": "var(--other)"}},
            },
            {"mark": BAR, "encoding": {"y": {"field": "lo", **y}, "y2": {"field": "hi"}, **colour}},
            {
                "mark": {**DOT, "size": 60},
                "encoding": {"y": {"field": "y", **y}, **colour, "tooltip": tooltip},
            },
        ],
    }
