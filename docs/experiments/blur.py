"""The absolute error (L1), the squared error (L2) and their sum: which blurs, and by how much.

python docs/experiments/blur.py
"""

from functools import partial
from typing import Any

import denoisers
import page
from denoisers import Effort
from page import Record, Results, Spec

_LOSSES = {
    "l1": {"alpha": 1.0, "beta": 0.0},
    "both": {"alpha": 1.0, "beta": 10.0},
    "l2": {"alpha": 0.0, "beta": 1.0},
}
_TITLES = {"l1": "α = 1, β = 0 (L1)", "both": "α = 1, β = 10", "l2": "α = 0, β = 1 (L2)"}
_NOISES: dict[str, dict[str, Any]] = {
    "gaussian": {"noise": "gaussian", "low": 50.0, "high": 50.0},
    "blocks": {"noise": "blocks", "low": 30.0, "high": 30.0},
}
_NOISE_TITLES = {"gaussian": "white noise, σ = 50", "blocks": "blocks knocked out"}


def measure(quick: bool) -> Record:
    """Every loss with both kinds of noise."""
    effort = Effort(2, 5, 2) if quick else Effort(4, 500)
    keys = [(noise, loss) for noise in _NOISES for loss in _LOSSES]
    jobs = [
        partial(denoisers.trial, _LOSSES[loss], _NOISES[noise], effort, seed)
        for noise, loss in keys
        for seed in range(effort.seeds)
    ]
    trials = page.in_parallel(jobs)
    groups = [trials[i : i + effort.seeds] for i in range(0, len(trials), effort.seeds)]
    by_key = dict(zip(keys, groups, strict=True))
    results: Results = {
        "seeds": effort.seeds,
        "steps": effort.steps,
        "noises": [
            {
                "name": noise,
                "title": _NOISE_TITLES[noise],
                "untouched": denoisers.untouched(_NOISES[noise], effort),
                "losses": {
                    loss: {"title": title, **_figures(by_key[noise, loss])}
                    for loss, title in _TITLES.items()
                },
            }
            for noise in _NOISES
        ],
    }
    pictures = {}
    for noise, settings in _NOISES.items():
        pictures[f"{noise}-noisy"] = denoisers.detail(denoisers.degraded(settings, effort))
        for loss in _LOSSES:
            pictures[f"{noise}-{loss}"] = denoisers.detail(by_key[noise, loss][0].pictures)
    return Record(results, pictures)


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    gaussian, blocks = (noise["losses"] for noise in results["noises"])

    def less(losses: Results, first: str, second: str, field: str) -> bool:
        """Whether the interval of the difference lies below zero."""
        gap = page.Interval.of(page.difference(losses[first][field], losses[second][field]))
        return gap.mean + gap.half < 0

    return {
        "L2 blurs what fills the blocks": less(blocks, "l2", "l1", "edges"),
        "and has the higher PSNR there": less(blocks, "l1", "l2", "noisy"),
        "L1 flattens in white noise": less(gaussian, "l1", "l2", "edges"),
        "L2 leaves more grain": less(gaussian, "l1", "l2", "gradient"),
        "L2 has the lower PSNR there": less(gaussian, "l2", "l1", "noisy"),
    }


def _figures(trials: list[denoisers.Trial]) -> dict[str, list[float]]:
    return {
        key: [getattr(trial, key) for trial in trials] for key in ("noisy", "edges", "gradient")
    }


def draw(results: Results) -> dict[str, Spec]:
    """A dot for each training: edges over PSNR, a panel for each noise."""
    panels = [_panel(noise) for noise in results["noises"]]
    return {"edges": page.chart({"vconcat": panels, "spacing": 24})}


def _panel(noise: dict[str, Any]) -> Spec:
    rows = [
        {"loss": _TITLES[loss], "psnr": psnr, "edges": edges}
        for loss, figures in noise["losses"].items()
        for psnr, edges in zip(figures["noisy"], figures["edges"], strict=True)
    ]
    inks = dict(zip(_TITLES.values(), (page.ACCENT, page.OTHER, page.SECOND), strict=True))
    colour = page.colours("loss", inks, "loss")
    encoding = {
        "x": page.axis("psnr", "PSNR, dB"),
        "y": page.axis("edges", "edges that are left"),
        "color": colour,
        "shape": {"field": "loss", "type": "nominal", "legend": None, "sort": None},
    }
    data = {"values": rows}
    size = {"width": page.WIDTH - 80, "height": 170}
    return {
        "title": noise["title"],
        "data": data,
        "mark": page.CIRCLE,
        "encoding": encoding,
        **size,
    }


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
