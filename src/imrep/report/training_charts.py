"""The curves of a training run: losses and learning rate against steps."""

from collections.abc import Sequence

from imrep.report import frame, words
from imrep.report.frame import PADDING, Chart, Spec
from imrep.training_record import Line

_SERIES = {"training images": "var(--other)", "held-out images": "var(--pick)"}
_STEPS: Spec = {
    "field": "step",
    "type": "quantitative",
    "axis": {"title": "steps →", "grid": False, "format": ",d", "tickCount": 5, "tickMinStep": 1},
    "scale": {"nice": False},
}
_MAX_LINEAR = 3.0  # ratio of losses that a linear axis shows well


def charts(lines: Sequence[Line]) -> list[Chart]:
    """Losses, and the learning rate."""
    return [losses(lines), rates(lines)]


def losses(lines: Sequence[Line]) -> Chart:
    """Both losses, on a logarithmic axis where they span more than a factor of three."""
    names = {"training images": "loss", "held-out images": "held_out"}
    points: list[Spec] = [
        {"step": line.step, "loss": value, "series": series, "value": f"{value:.4g}"}
        for series, name in names.items()
        for line in lines
        if (value := getattr(line, name)) is not None
    ]
    values = [point["loss"] for point in points]
    log = min(values) > 0 and max(values) > _MAX_LINEAR * min(values)
    held_out = [point for point in points if point["series"] == "held-out images"]
    alt = "Loss of held-out images: " + "; ".join(
        f"{point['value']} after step {words.count(point['step'])}" for point in held_out
    )
    return frame.chart("losses", "Loss against steps", alt, lambda _: _losses(points, log))


def rates(lines: Sequence[Line]) -> Chart:
    """The learning rate of every step."""
    points: list[Spec] = [
        {"step": line.step, "rate": line.learning_rate, "value": f"{line.learning_rate:.3g}"}
        for line in lines
        if line.learning_rate is not None
    ]
    highest = max(points, key=lambda point: point["rate"])
    alt = f"It is largest, {highest['value']}, in step {words.count(highest['step'])}."
    return frame.chart("rates", "Learning rate against steps", alt, lambda _: _rates(points))


def _losses(points: list[Spec], log: bool) -> Spec:
    kind: Spec = {"type": "log"} if log else {"type": "linear", "zero": False}
    kind |= {"nice": False}
    axis = frame.vertical_axis("loss, logarithmic" if log else "loss", format="~g")
    axis |= {"tickCount": 5}
    colour = {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [*_SERIES], "range": [*_SERIES.values()]},
    }
    y = {"field": "loss", "type": "quantitative", "scale": kind, "axis": axis}
    trained, held_out = ({"filter": f"datum.series == '{name}'"} for name in _SERIES)
    tooltip = [{"field": name, "title": name} for name in ("series", "step", "value")]
    return {
        "height": 300,
        "padding": PADDING,
        "data": {"values": points},
        "encoding": {"x": _STEPS, "y": y, "color": colour, "tooltip": tooltip},
        "layer": [
            {"transform": [trained], "mark": {"type": "line", "strokeWidth": 1}},
            {"transform": [held_out], "mark": {"type": "line", "strokeWidth": 2.5}},
            {"transform": [held_out], "mark": {**frame.DOT, "size": 40}},
        ],
    }


def _rates(points: list[Spec]) -> Spec:
    axis = frame.vertical_axis("learning rate", format="~g", tickCount=5)
    tooltip = [{"field": name, "title": name} for name in ("step", "value")]
    return {
        "height": 300,
        "padding": PADDING,
        "data": {"values": points},
        "mark": {"type": "line", "strokeWidth": 2, "color": "var(--tied)"},
        "encoding": {
            "x": _STEPS,
            "y": {"field": "rate", "type": "quantitative", "axis": axis},
            "tooltip": tooltip,
        },
    }
