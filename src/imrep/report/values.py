"""The sections on a number: predicted against true, and the images that are furthest off."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imrep import answers
from imrep.assets import Assets
from imrep.report import frame, words
from imrep.report.findings import Findings
from imrep.report.frame import DOT, PADDING, Chart, Spec

_COVERAGE = 0.9  # of the band
_MAX_POINTS = 1_000  # more make the page slow
_MARGIN = 0.03  # of the range, around the points


class Furthest(NamedTuple):
    """A tile of the sheet of remarked images.

    Attributes:
        tile: Its number.
        path: Of the file.
        true: Its number.
        predicted: The number that is predicted.
    """

    tile: int
    path: str
    true: str
    predicted: str


class Predicted(NamedTuple):
    """True and predicted numbers of all scored images by one representation.

    Attributes:
        spec: The representation.
        paths: Of the images.
        true: Their numbers.
        predicted: The numbers that are predicted.
    """

    spec: str
    paths: NDArray[np.object_]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]


def target(findings: Findings) -> str:
    """What is predicted, as it stands in a sentence; "" where it is no number."""
    return next(iter(findings.details("data", "target")), "")


def predicted(findings: Findings, folder: Path) -> Predicted | None:
    """The predictions of the recommended representation, or of the best; None without numbers."""
    spec = findings.pick or findings.leader
    if findings.measure != "r2":
        return None
    columns = answers.read(folder, [spec], "value", ("predicted",))
    if columns is None:
        return None
    return Predicted(spec, columns["path"], columns["value"], columns[f"{spec}.predicted"])


def is_ratio(findings: Findings) -> bool:
    """Whether numbers are compared by their ratios."""
    row = findings.row("data", "guess_error")
    return row is not None and row.unit == "factor"


def chart(findings: Findings, points: Predicted | None) -> Chart | None:
    """Predicted against true numbers with the band of the left-out errors; None without any."""
    if points is None:
        return None
    ratio = is_ratio(findings)
    half, name = half_width(points, ratio), target(findings)
    alt = (
        f"Predicted against true numbers of {words.several(len(points.true), 'image')}; nine of "
        f"ten predictions are off by {_off(half, ratio)} at most."
    )
    title = "Predicted against true"
    return frame.chart(
        "predicted", title, alt, lambda narrow: _plot(points, half, (name, ratio), narrow)
    )


def sentence(findings: Findings, points: Predicted | None) -> str:
    """How far off most predictions are; "" without any."""
    if points is None:
        return ""
    ratio = is_ratio(findings)
    off = _off(half_width(points, ratio), ratio)
    text = (
        f"Nine of ten predictions are off by {off} at most: the band. A prediction for a new "
        "image of this kind may be off by as much."
    )
    if len(points.true) > _MAX_POINTS:
        text += f" {words.count(_MAX_POINTS)} of {words.count(len(points.true))} images are drawn."
    return text


def half_width(points: Predicted, ratio: bool) -> float:
    """The error that nine of ten left-out images do not exceed; of ratios a factor.

    The ⌈0.9 · (n + 1)⌉-th smallest of n errors, the largest where there are too few.
    """
    if ratio:
        shift = 1.0 if points.true.min() <= 0 else 0.0
        errors = np.abs(np.log((points.predicted + shift) / (points.true + shift)))
    else:
        errors = np.abs(points.predicted - points.true)
    rank = min(len(errors), math.ceil(_COVERAGE * (len(errors) + 1)))
    half = float(np.sort(errors)[rank - 1])
    return math.exp(half) if ratio else half


def furthest(assets: Assets) -> list[Furthest]:
    """The images that are furthest off, the worst first."""
    first = 0
    for name, remarks in assets.remarks.items():
        if name == "furthest":
            return [
                Furthest(first + i, remark.path, remark.label, remark.other)
                for i, remark in enumerate(remarks)
            ]
        first += len(remarks)
    return []


def _off(half: float, ratio: bool) -> str:
    return f"a factor of {words.digits(half)}" if ratio else words.digits(half)


def _plot(points: Predicted, half: float, what: tuple[str, bool], narrow: bool) -> Spec:
    name, ratio = what
    every = np.concatenate([points.true, points.predicted])
    low, high = float(every.min()), float(every.max())
    if ratio:
        domain = [low, high]
    else:
        more = _MARGIN * (high - low)
        domain = [low - more, high + more]
    kind = "linear" if not ratio else "log" if low > 0 else "symlog"
    scale = {"domain": domain, "nice": False, "zero": False, "type": kind}
    plain = name.removeprefix("the logarithm of ").removeprefix("1 + ")
    x: Spec = {"type": "quantitative", "scale": scale}
    x["axis"] = {"title": f"true: {frame.wrapped(plain, 40)} →", "grid": False, "format": "~s"}
    x["axis"] |= {"tickCount": 5 if narrow else 8}
    y = {**x, "axis": frame.vertical_axis("predicted", format="~s", tickCount=6)}
    along = np.geomspace(low, high, 60) if kind == "log" else np.linspace(domain[0], domain[1], 60)
    band = [_band(float(at), half, ratio, kind) for at in along]
    below, above = {"field": "lo", **y}, {"field": "hi"}
    return {
        "height": 340 if narrow else 460,
        "padding": PADDING,
        "data": {"values": _sampled(points)},
        "encoding": {"x": {"field": "true", **x}},
        "layer": [
            {
                "data": {"values": band},
                "mark": {"type": "area", "clip": True, "opacity": 0.14, "color": "var(--pick)"},
                "encoding": {"y": below, "y2": above},
            },
            {
                "data": {"values": band},
                "mark": {
                    "type": "line",
                    "clip": True,
                    "strokeDash": [4, 4],
                    "strokeWidth": 1.5,
                    "color": "var(--other)",
                },
                "encoding": {"y": {"field": "true", **y}},
            },
            {
                "mark": {**DOT, "size": 34, "opacity": 0.65, "color": "var(--pick)"},
                "encoding": {
                    "y": {"field": "y", **y},
                    "tooltip": [
                        {"field": "image", "title": "image"},
                        {"field": "is", "title": "true"},
                        {"field": "says", "title": "predicted"},
                    ],
                },
            },
        ],
    }


def _band(at: float, half: float, ratio: bool, kind: str) -> Spec:
    """The ends of the band at a true number."""
    if not ratio:
        low, high = at - half, at + half
    elif kind == "log":
        low, high = at / half, at * half
    else:  # ratios of 1 more
        low, high = (1 + at) / half - 1, (1 + at) * half - 1
    return {"true": _digits(at), "lo": _digits(low), "hi": _digits(high)}


def _sampled(points: Predicted) -> list[Spec]:
    """At most a thousand, evenly over the range of the true numbers."""
    order = np.argsort(points.true, kind="stable")
    if len(order) > _MAX_POINTS:
        order = order[np.linspace(0, len(order) - 1, _MAX_POINTS).astype(int)]
    return [
        {
            "image": str(points.paths[i]),
            "true": _digits(points.true[i]),
            "y": _digits(points.predicted[i]),
            "is": words.digits(float(points.true[i])),
            "says": words.digits(float(points.predicted[i])),
        }
        for i in order.tolist()
    ]


def _digits(number: float) -> float:
    """Six digits: more are not seen."""
    return float(f"{number:.6g}")
