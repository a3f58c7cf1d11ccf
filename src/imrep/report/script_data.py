"""What the page's script is given: plots, nearest neighbours, coordinates of the map."""

from collections.abc import Sequence
from typing import Any

from imrep.assets import Assets
from imrep.report import words
from imrep.report.findings import Findings
from imrep.report.frame import Chart


def script_data(findings: Findings, assets: Assets, charts: Sequence[Chart]) -> dict[str, Any]:
    """A dictionary for JSON."""
    return {
        "charts": {
            chart.id: {"title": chart.title, "wide": chart.wide, "narrow": chart.narrow}
            for chart in charts
        },
        "paths": list(assets.paths),
        "labels": list(assets.labels),
        "objects": list(assets.objects),
        "queries": list(assets.queries),
        "unit": "object" if findings.measure == "retrieval" else "class",
        "pick": findings.pick or findings.leader,
        "neighbours": [
            {
                "spec": spec,
                "standing": findings.standing(spec),
                "nearest": assets.neighbours[spec].tolist(),
                "map": _centred_map(assets, spec),
                "variance": _variance(assets, spec),
            }
            for spec in findings.contenders
            if spec in assets.neighbours
        ],
    }


def _centred_map(assets: Assets, spec: str) -> list[list[float]]:
    """Coordinates of the map in [-1, 1], both axes on one scale."""
    if spec not in assets.maps:
        return []
    coordinates = assets.maps[spec]
    middle = (coordinates.min(0) + coordinates.max(0)) / 2
    scaled = (coordinates - middle) / (abs(coordinates - middle).max(initial=0) or 1)
    return [[round(float(x), 3), round(float(y), 3)] for x, y in scaled]


def _variance(assets: Assets, spec: str) -> str:
    """38% (25% and 13%); empty for a run that did not measure it."""
    if spec not in assets.variances:
        return ""
    first, second = assets.variances[spec]
    return f"{words.percent(first + second)} ({words.percent(first)} and {words.percent(second)})"
