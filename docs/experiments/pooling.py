"""What a shift, a rotation and a scale do to a network's vector, by pooling and depth.

python docs/experiments/pooling.py
"""

import math
from functools import partial

import page
import torch
import torch.nn.functional as F
from page import Record, Results, Spec
from torch import Tensor

_SPEC = "cnn:arch=tf_efficientnet_lite0,layer=0/1/2/3/4"
_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle_left", "hubble_deep_field",
                "ihc", "retina", "china", "flower")  # fmt: skip
_METHODS = ("mean", "l2", "max", "centre", "attention")
_SIDE, _PHOTOGRAPH = 224, 380  # pixels of an image, and of the photograph that it is a part of
_AMOUNTS: dict[str, tuple[float, ...]] = {
    "shift": (2, 4, 8, 16, 32),
    "rotation": (3, 6, 12, 24, 45),
    "scale": (1.05, 1.1, 1.2, 1.4, 1.6),
}
_UNITS = {"shift": "shift, pixels", "rotation": "rotation, degrees", "scale": "enlarged by"}
_SHOWN = 3  # index of the amount in the figure by depth
_INKS = (page.ACCENT, page.OTHER, page.SECOND, "currentColor", page.THIRD)


def measure(quick: bool) -> Record:
    """The change of each vector, relative to that from one photograph to another."""
    names = _PHOTOGRAPHS[: 3 if quick else None]
    vectors = page.in_parallel([partial(_vectors, name) for name in names])
    stages, methods = range(len(vectors[0]["original"]["mean"])), _METHODS
    changes = {
        kind: {m: [_change(vectors, f"{kind}{a}", m) for a in amounts] for m in methods}
        for kind, amounts in _AMOUNTS.items()
    }
    results: Results = {
        "photographs": len(names),
        "stages": list(stages),
        "strides": _strides(),
        "kinds": [
            {"name": kind, "unit": _UNITS[kind], "amounts": list(amounts), "changes": changes[kind]}
            for kind, amounts in _AMOUNTS.items()
        ],
    }
    largest = {kind: _moved(_whole("coffee"), kind, a[_SHOWN]) for kind, a in _AMOUNTS.items()}
    return Record(results, {"original": _moved(_whole("coffee"), "shift", 0), **largest})


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    kinds = {kind["name"]: kind["changes"] for kind in results["kinds"]}

    def larger(first: list[float], second: list[float]) -> bool:
        gap = page.Interval.of(page.difference(first, second))
        return gap.mean - gap.half > 0

    at = [{m: changes[m][_SHOWN] for m in _METHODS} for changes in kinds.values()]
    return {
        "max and L2 change more": all(
            larger(c[m][-1], c["mean"][-1]) for c in at for m in ("max", "l2")
        ),
        "the others hardly differ": all(
            not larger(c[m][-1], c["mean"][-1]) for c in at for m in ("centre", "attention")
        ),
        "means change more with depth": all(larger(c["mean"][-1], c["mean"][0]) for c in at),
        "the greatest values change less at the end": all(
            larger(c["max"][3], c["max"][4]) for c in at
        ),
    }


def _strides() -> list[int]:
    import imrep

    maps = imrep.get(_SPEC).encode(torch.rand(1, 3, _SIDE, _SIDE)).codes
    return [_SIDE // each.values.shape[3] for each in maps]


def _vectors(name: str) -> dict[str, dict[str, list[Tensor]]]:
    """The vectors of a photograph and of all its versions: by pooling, one for each stage."""
    import imrep
    from imrep.networks.pooling import pool

    network, whole = imrep.get(_SPEC), _whole(name)
    versions = {f"{kind}{a}": (kind, a) for kind, amounts in _AMOUNTS.items() for a in amounts}
    result = {}
    for key, (kind, amount) in {"original": ("shift", 0.0), **versions}.items():
        with torch.no_grad():
            maps = [each.values for each in network.encode(_moved(whole, kind, amount)).codes]
            result[key] = {m: [pool(values, m)[0] for values in maps] for m in _METHODS}
    return result


def _whole(name: str) -> Tensor:
    """The middle square of a photograph."""
    from imrep.ops.resize import square

    image = page.photograph(name, gray=False)
    side = min(image.shape[2:])
    top, left = ((n - side) // 2 for n in image.shape[2:])
    image = image[..., top : top + side, left : left + side]
    return square(image.expand(-1, 3, -1, -1), _PHOTOGRAPH).clamp(0, 1)


def _moved(photograph: Tensor, kind: str, amount: float) -> Tensor:
    """The middle of a photograph that was shifted, rotated or enlarged about its middle.

    What comes in at the border is the photograph's own.
    """
    angle = math.radians(amount) if kind == "rotation" else 0.0
    zoom = _SIDE / _PHOTOGRAPH / (amount if kind == "scale" else 1.0)
    across = 2 * amount / _PHOTOGRAPH if kind == "shift" else 0.0
    sine, cosine = zoom * math.sin(angle), zoom * math.cos(angle)
    matrix = torch.tensor([[[cosine, -sine, across], [sine, cosine, 0.0]]])
    grid = F.affine_grid(matrix, [1, 3, _SIDE, _SIDE], align_corners=False)
    return F.grid_sample(photograph, grid, "bicubic", "reflection", align_corners=False).clamp(0, 1)


def _change(vectors: list[dict], key: str, method: str) -> list[list[float]]:
    """For every stage and photograph, in percent of the mean distance of two photographs.

    Distances are one less the cosine.
    """
    result = []
    for stage in range(len(vectors[0]["original"][method])):
        before, after = (
            F.normalize(torch.stack([v[k][method][stage] for v in vectors]), dim=1)
            for k in ("original", key)
        )
        unlike = 1 - before @ before.T
        typical = float(unlike.sum()) / (len(before) * (len(before) - 1))
        result.append((100 * (1 - (before * after).sum(1)) / typical).tolist())
    return result


def draw(results: Results) -> dict[str, Spec]:
    """By depth at one amount of each transformation, and by amount at the last stage."""
    inks = dict(zip(_METHODS, _INKS, strict=True))
    y = page.axis("y", "change, %", zero=True)
    by_depth = [_by_depth(results, kind, inks, y) for kind in results["kinds"]]
    return {"depth": page.chart({"vconcat": by_depth, "spacing": 20})}


def _by_depth(results: Results, kind: Results, inks: dict[str, str], y: Spec) -> Spec:
    amount = kind["amounts"][_SHOWN]
    rows = [
        row
        for method, changes in kind["changes"].items()
        for row in page.curve(method, [1 + s for s in results["stages"]], changes[_SHOWN])
    ]
    panel = page.lines(
        rows, inks, page.axis("x", "stage", at=[1 + s for s in results["stages"]]), y
    )
    return {
        **panel,
        "title": f"{kind['unit']}: {amount:g}",
        "width": page.WIDTH - 80,
        "height": 150,
    }


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
