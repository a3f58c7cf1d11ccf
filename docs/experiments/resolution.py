"""A pretrained network on small images: is the detail missing, or the size that it was trained at?

IMREP_DATA=data python docs/experiments/resolution.py
"""

import os
from functools import partial
from pathlib import Path

import numpy as np
import page
import torch
from page import Record, Results, Spec
from torch import Tensor

_SPEC = "cnn:arch=tf_efficientnet_lite0"
_FULL = 224  # pixels: the size that the network was trained at
_SIDES = (32, 64, 96, 128, 160, _FULL)
_FORMS = {"enlarged": f"enlarged to {_FULL} pixels", "own": "read at that size"}
_FOLDS, _REPEATS = 5, 4


def measure(quick: bool) -> Record:
    """Accuracy and cost at every size, for images read small and for images enlarged again."""
    sides, step = ((32, 64, 96), 20) if quick else (_SIDES, 1)
    jobs = [(side, form) for side in sides for form in _FORMS]
    measured = page.in_parallel([partial(_accuracy, *job, step) for job in jobs])
    figures = dict(zip(jobs, measured, strict=True))
    first = figures[sides[0], "own"]
    return Record(
        {
            "images": len(first["correct"]),
            "sides": list(sides),
            **{form: [figures[side, form] for side in sides] for form in _FORMS},
        },
        {f"{side}": _example(side) for side in (32, 64, _FULL)},
    )


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    own, enlarged = ([row["correct"] for row in results[form]] for form in ("own", "enlarged"))
    gains = [page.Interval.of(page.difference(a, b)) for a, b in zip(enlarged, own, strict=True)]
    largest = page.Interval.of(page.difference(own[-1], own[-2]))
    cost = [row["ms"] for row in results["own"]]
    return {
        "small images gain by enlarging": gains[0].mean > 10 and gains[1].mean > gains[1].half,
        "from 96 pixels on it does not matter": all(abs(g.mean) < g.half + 0.1 for g in gains[2:]),
        "160 pixels are as good": abs(largest.mean) < largest.half,
        "and take less": cost[-2] < 0.8 * cost[-1],
    }


def _images(step: int) -> tuple[list[Tensor], np.ndarray]:
    """The middle squares of photographs of ten classes, at 224 pixels."""
    from imrep.images import square

    folder = Path(os.environ["IMREP_DATA"]) / "classification" / "caltech101_a"
    files = sorted(folder.glob("*/*.jpg"))[::step]
    pixels = [square(path, _FULL)[0] for path in files]
    images = [torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 for p in pixels]
    return images, np.array([path.parent.name for path in files])


def _accuracy(side: int, form: str, step: int) -> Results:
    """For each image the share of repeats in which its class was named, in percent; cost."""
    import time

    import imrep
    from imrep.ops.resize import square

    images, labels = _images(step)
    canvas = side if form == "own" else _FULL
    network = imrep.get(f"{_SPEC},side={canvas}")
    small = [square(image, side).clamp(0, 1) for image in images]
    start = time.process_time()
    with torch.no_grad():
        vectors = torch.cat([network.embed(square(x, canvas).clamp(0, 1)) for x in small])
    ms = 1000 * (time.process_time() - start) / len(images)
    return {"correct": _correct(vectors.numpy(), labels), "ms": ms}


def _correct(vectors: np.ndarray, labels: np.ndarray) -> list[float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    right = np.zeros(len(labels))
    for repeat in range(_REPEATS):
        folds = StratifiedKFold(
            min(_FOLDS, 2 + len(labels) // 100), shuffle=True, random_state=repeat
        )
        right += cross_val_predict(classifier, vectors, labels, cv=folds) == labels
    return (100 * right / _REPEATS).tolist()


def _example(side: int) -> Tensor:
    from imrep.ops.resize import square

    image = page.photograph("chelsea", gray=False)[..., :300, 75:375]
    return square(square(image, side), _FULL).clamp(0, 1)


def draw(results: Results) -> dict[str, Spec]:
    """Accuracy by the side of the image, with intervals."""
    rows = [
        row
        for form, title in _FORMS.items()
        for row in page.curve(title, results["sides"], [r["correct"] for r in results[form]])
    ]
    inks = dict(zip(_FORMS.values(), (page.ACCENT, page.OTHER), strict=True))
    x = page.axis("x", "side of the image, pixels", at=results["sides"])
    return {"accuracy": page.curves(rows, inks, x, page.axis("y", "accuracy, %"))}


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
