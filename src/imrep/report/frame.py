"""What every plot shares: its two forms, colours, rows of names, ticks.

Colours are the page's CSS variables (`var(--pick)`), which SVG understands. Dark mode, print and
the static copies for readers without scripts therefore need no second drawing. Shades are opacities
of one colour for the same reason.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from imrep.report.findings import Findings

Spec = dict[str, Any]
WIDE, NARROW = 700, 340  # px: the wide form is drawn where there is at least so much room
VEGA_LITE = "6.4"
_COLOURS = {
    "pick": "var(--pick)",
    "tied": "var(--tied)",
    "together": "var(--ink)",
    "other": "var(--other)",
    "control": "var(--control)",
}
ORDER = tuple(_COLOURS)
STANDING: Spec = {
    "field": "standing",
    "type": "nominal",
    "legend": None,
    "scale": {"domain": list(_COLOURS), "range": list(_COLOURS.values())},
}
NAME_COLOUR: Spec = {  # darker than the dot where the dot is gray, for contrast
    "condition": [
        {"test": f"datum.standing == '{standing}'", "value": _COLOURS[standing]}
        for standing in ("pick", "tied", "together")
    ],
    "value": "var(--soft)",
}
PADDING: Spec = {"left": 0, "right": 8, "top": 12, "bottom": 5}
BAR: Spec = {"type": "rule", "strokeWidth": 2.5, "opacity": 0.75}
DOT: Spec = {"type": "point", "filled": True, "opacity": 1}
_AXIS: Spec = {
    "labelColor": "var(--soft)",
    "titleColor": "var(--soft)",
    "titleFontWeight": 400,
    "gridColor": "var(--faint)",
    "domainColor": "var(--soft)",
    "tickColor": "var(--soft)",
    "labelFontSize": 12,
    "titleFontSize": 12,
}
_CONFIG: Spec = {
    "font": "system-ui, -apple-system, 'Segoe UI', sans-serif",
    "axis": _AXIS,
    "view": {"stroke": None},
    "text": {"fontSize": 12},
}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One plot.

    Args:
        id: Of its element in the page.
        title: What it plots, in a few words.
        alt: Text alternative: its numbers, or where they are.
        wide: Vega-Lite specification for 700 px and more.
        narrow: The same for narrower screens.
    """

    id: str
    title: str
    alt: str
    wide: Spec
    narrow: Spec


def chart(id: str, title: str, alt: str, draw: Callable[[bool], Spec]) -> Chart:
    """Both forms of `draw(narrow)`, with the settings that all plots share."""
    shared = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": alt,
        "background": "transparent",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "width": "container",
        "config": _CONFIG,
    }
    wide, narrow = {**shared, **draw(False)}, {**shared, **draw(True)}
    return Chart(id=id, title=title, alt=alt, wide=wide, narrow=narrow)


def identity(findings: Findings, spec: str) -> Spec:
    """The fields of every point that say whose it is."""
    standing = findings.standing(spec)
    return {"spec": spec, "short": findings.short[spec], "standing": standing}


def tooltip(*fields: str) -> list[Spec]:
    """The spec and these fields, each under its own name."""
    return [{"field": field, "title": field} for field in ("spec", *fields)]


def rows(key: str, order: Sequence[str], step: int, above: bool) -> tuple[Spec, list[Spec]]:
    """A row for each name, which is never cut: the name at its left, or above it.

    Args:
        key: Field of the data that holds the name, which may have several lines.
        order: The names from top to bottom.
        step: Height of a row, px.
        above: Whether the names stand above; the marks of a row then lie 7 px below its middle.

    Returns:
        Height and encoding of the plot, and the layer of names where they stand above.
    """
    lines = max((name.count("\n") + 1 for name in order), default=1)
    row_px = 40 if above else max(step, 14 * lines + 4)
    axis = {
        "title": None,
        "labelLimit": 0,
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelPadding": 8,
        "labelColor": "var(--ink)",
        "labelExpr": "split(datum.label, '\\n')",
        # several lines hang from the middle of the first: raise them by half
        "labelOffset": {"expr": "-6.5 * (length(split(datum.label, '\\n')) - 1)"},
    }
    y = {"field": key, "type": "nominal", "sort": list(order), "axis": None if above else axis}
    plot: Spec = {
        "height": row_px * len(order),
        "padding": {"left": 0, "right": 8, "top": 5, "bottom": 5},
        "encoding": {"y": y},
    }
    if not above:
        return plot, []
    names = {
        "data": {"values": [{key: name} for name in order]},
        "mark": {"type": "text", "align": "left", "dy": -12, "baseline": "middle"},
        "encoding": {"x": {"value": 0}, "text": {"field": key}, "color": {"value": "var(--ink)"}},
    }
    return plot, [names]


def vertical_axis(title: str, **more: Any) -> Spec:
    """A vertical axis with its title written horizontally above it."""
    return {
        "title": f"↑ {title}",
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "end",
        "titleX": 0,
        "titleY": -14,
        "domain": False,
        "ticks": False,
        "grid": True,
        **more,
    }


def wrapped(name: str, width: int, max_lines: int = 3) -> str:
    """At most `max_lines` lines of `width` letters, broken after a space, comma, - or _."""
    lines: list[str] = []
    while len(name) > width and len(lines) < max_lines:
        cut = max(name.rfind(mark, width // 3, width) + 1 for mark in " ,-_") or width
        lines.append(name[:cut].rstrip())
        name = name[cut:]
    if len(lines) == max_lines:  # a very long class name; the tooltip shows all of it
        return "\n".join(lines) + "…"
    return "\n".join([*lines, name])


def ticks(low: float, high: float, decades: int) -> list[float]:
    """1, 2 and 5 times powers of ten; only powers of ten where there are more than `decades`."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if math.log10(high / low) > decades else (1, 2, 5)
    values = [step * 10.0**power for power in powers for step in steps]
    return [round(tick, 6) for tick in values if low <= tick <= high]


def hundred(share: float | None) -> float | None:
    """A share as per cent, for an axis."""
    return None if share is None else round(100 * share, 3)
