"""What every plot shares: two forms of one specification, colours, rows of names, ticks.

Colours are the page's CSS variables (`var(--pick)`), which SVG understands: so dark mode, paper and
the static copies for readers without scripts need no second drawing. Shades are opacities of one
colour for the same reason.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
WIDE, NARROW = 700, 340  # px: the wide form is drawn where there is at least so much room
VEGA_LITE = "6.4"
_COLOURS = {
    "pick": "var(--pick)",
    "equal": "var(--equal)",
    "rest": "var(--rest)",
    "control": "var(--control)",
}
ORDER = tuple(_COLOURS)
STANDING: Spec = {
    "field": "standing",
    "type": "nominal",
    "legend": None,
    "scale": {"domain": list(_COLOURS), "range": list(_COLOURS.values())},
}
NAMED: Spec = {  # the colour of a name: grey enough to read where the dot's grey is not
    "condition": [
        {"test": f"datum.standing == '{standing}'", "value": _COLOURS[standing]}
        for standing in ("pick", "equal")
    ],
    "value": "var(--soft)",
}
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
        alt: What it shows, in words, for who cannot see it.
        wide: Vega-Lite specification where there are 700 px.
        narrow: The same for a phone.
    """

    id: str
    alt: str
    wide: Spec
    narrow: Spec


def chart(id: str, alt: str, draw: Callable[[bool], Spec]) -> Chart:
    """Both forms of what `draw(narrow)` gives, with the settings that all plots share."""
    shared = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": alt,
        "background": "transparent",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "width": "container",
        "config": _CONFIG,
    }
    return Chart(id=id, alt=alt, wide={**shared, **draw(False)}, narrow={**shared, **draw(True)})


def rows(key: str, order: Sequence[str], step: int, above: bool) -> tuple[Spec, list[Spec]]:
    """A row for each name, never cut: the name at its side, or above it where room is short.

    Args:
        key: Field of the data that holds the name, which may have several lines.
        order: The names from top to bottom.
        step: Height of a row, px.
        above: Whether the names stand above; the row's marks then go 7 px below its middle.

    Returns:
        Height and encoding of the plot, and the layer of names where they stand above.
    """
    lines = max((name.count("\n") + 1 for name in order), default=1)
    high = 40 if above else max(step, 14 * lines + 4)
    axis = {
        "title": None,
        "labelLimit": 0,
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelPadding": 8,
        "labelColor": "var(--ink)",
        "labelExpr": "split(datum.label, '\\n')",
        # several lines hang from the first one's middle: raise them by half
        "labelOffset": {"expr": "-6.5 * (length(split(datum.label, '\\n')) - 1)"},
    }
    y = {"field": key, "type": "nominal", "sort": list(order), "axis": None if above else axis}
    plot: Spec = {
        "height": high * len(order),
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


def upright(title: str, **more: Any) -> Spec:
    """The axis of heights: its title lies above it, read without turning the head."""
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


def wrapped(name: str, width: int, most: int = 3) -> str:
    """At most so many lines of so many letters, broken after a space, comma, - or _ if there is."""
    lines: list[str] = []
    while len(name) > width and len(lines) < most:
        cut = max(name.rfind(mark, width // 3, width) + 1 for mark in " ,-_") or width
        lines.append(name[:cut].rstrip())
        name = name[cut:]
    if len(lines) == most:  # only names of classes get so long; hovering gives them whole
        return "\n".join(lines) + "…"
    return "\n".join([*lines, name])


def ticks(low: float, high: float, decades: int) -> list[float]:
    """1, 2 and 5 times powers of ten; powers alone where the axis spans more decades than told."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if math.log10(high / low) > decades else (1, 2, 5)
    found = [step * 10.0**power for power in powers for step in steps]
    return [round(tick, 6) for tick in found if low <= tick <= high]


def hundred(share: float | None) -> float | None:
    """A share as per cent, for an axis."""
    return None if share is None else round(100 * share, 3)
