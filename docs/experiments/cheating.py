"""An autoencoder learns the identity from (clean, clean) pairs, and to denoise from (noisy, clean).

python docs/experiments/cheating.py
"""

from functools import partial

import denoisers
import page
from denoisers import Effort
from page import Record, Results, Spec

_NOISE = {"noise": "gaussian", "low": 25.0, "high": 25.0}
_FORMS = {
    "skip": {"residual": False},
    "bottleneck": {"residual": False, "skip": False},
    "narrow": {"residual": False, "skip": False, "bottleneck": 4},
}
_TITLES = {"skip": "skip connections", "bottleneck": "bottleneck", "narrow": "narrow bottleneck"}
_PAIRS = {"identity": {"noise": "none"}, "denoising": {}}


def measure(quick: bool) -> Record:
    """Every form on both kinds of pairs."""
    effort = Effort(2, 5, 2) if quick else Effort(4, 500)
    keys = [(form, pairs) for form in _FORMS for pairs in _PAIRS]
    jobs = [
        partial(denoisers.trial, {**_FORMS[form], **_PAIRS[pairs]}, _NOISE, effort, seed)
        for form, pairs in keys
        for seed in range(effort.seeds)
    ]
    trials = page.in_parallel(jobs)
    groups = [trials[i : i + effort.seeds] for i in range(0, len(trials), effort.seeds)]
    by_key = dict(zip(keys, groups, strict=True))
    results: Results = {
        "sigma": _NOISE["high"],
        "seeds": effort.seeds,
        "steps": effort.steps,
        "untouched": denoisers.untouched(_NOISE, effort),
        "forms": [
            {
                "name": form,
                "title": _TITLES[form],
                **{pairs: _figures(by_key[form, pairs]) for pairs in _PAIRS},
            }
            for form in _FORMS
        ],
    }
    pictures = {
        "target": denoisers.detail(denoisers.targets(effort)),
        "noisy": denoisers.detail(denoisers.degraded(_NOISE, effort)),
        **{pairs: denoisers.detail(by_key["skip", pairs][0].pictures) for pairs in _PAIRS},
    }
    return Record(results, pictures)


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    forms = {form["name"]: form for form in results["forms"]}
    untouched, best = results["untouched"], forms["skip"]
    gains = [
        page.Interval.of(page.difference(form["denoising"]["noisy"], form["identity"]["noisy"]))
        for form in forms.values()
    ]
    return {
        "the identity is learned": min(best["identity"]["clean"]) > 35,
        "nothing is denoised": max(best["identity"]["noisy"]) < untouched + 0.5,
        "noise as input denoises": min(best["denoising"]["noisy"]) > untouched + 4,
        "in every form": all(gain.mean - gain.half > 0 for gain in gains),
    }


def _figures(trials: list[denoisers.Trial]) -> dict[str, list[float]]:
    return {key: [getattr(trial, key) for trial in trials] for key in ("noisy", "clean")}


def draw(results: Results) -> dict[str, Spec]:
    """A dot for each training."""
    titles = {"identity": "(clean, clean) pairs", "denoising": "(noisy, clean) pairs"}
    rows = [
        {"form": form["title"], "pairs": title, "psnr": value}
        for form in results["forms"]
        for pairs, title in titles.items()
        for value in form[pairs]["noisy"]
    ]
    x = page.axis("psnr", "PSNR of noisy photographs after the network, dB")
    inks = dict(zip(titles.values(), (page.OTHER, page.ACCENT), strict=True))
    encoding = {
        "x": x,
        "y": page.names("form", list(_TITLES.values())),
        "color": page.colours("pairs", inks, "trained on"),
    }
    noisy = {
        "data": {"values": [{"psnr": results["untouched"]}]},
        "mark": page.BROKEN,
        "encoding": {"x": x},
    }
    dots = {"mark": page.CIRCLE, "encoding": encoding}
    return {"psnr": page.chart({"data": {"values": rows}, "layer": [noisy, dots]})}


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
