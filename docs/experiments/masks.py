"""Mean IoU by the number of masks: IkshanaNet from scratch, beside what the position alone tells.

    IMREP_DATA=data python docs/experiments/masks.py

The folder segmentation/camvid_a holds twelve street scenes with masks of eleven classes. Below one
image, a random half or quarter of a single one is labelled.
"""

import os
from functools import cache, partial
from pathlib import Path

import numpy as np
import page
import torch
from page import Record, Results, Spec
from torch import Tensor

_SIDE, _BATCH, _TEST = 64, 3, 4  # pixels; images of a step; images held out
_VARIANT, _RATE = "3S-2G", 1e-2
_TITLES = {"network": f"IkshanaNet {_VARIANT} from scratch", "position": "position alone"}
_INKS = (page.ACCENT, page.OTHER)


def measure(quick: bool) -> Record:
    """Both methods on the same divisions and masks."""
    divisions, steps = (2, 2) if quick else (4, 60)
    count = len(data().images) - _TEST
    shares = [count / 2**k for k in range(6)]
    jobs = [(share, seed) for share in shares for seed in range(divisions)]
    matrices = page.in_parallel([partial(_network, *job, steps) for job in jobs])
    trained = dict(zip(jobs, matrices, strict=True))
    methods = {
        "network": [[trained[share, s] for s in range(divisions)] for share in shares],
        "position": [[_position(share, s) for s in range(divisions)] for share in shares],
    }
    results: Results = {
        "side": _SIDE,
        "divisions": divisions,
        "steps": steps,
        "batch": _BATCH,
        "images": len(data().images),
        "test": _TEST,
        "parameters": _parameters(),
        "shares": shares,
        "names": [f"{s:g}" if s >= 1 else f"1/{1 / s:g}" for s in shares],
        "methods": {name: _measured(values) for name, values in methods.items()},
        "classes": _by_class(methods["network"][0]),
    }
    return Record(results)


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    network, position = (results["methods"][name]["iou"] for name in ("network", "position"))
    every = [page.Interval.of(page.difference(network[0], values)) for values in network]
    ahead = [
        page.Interval.of(page.difference(*pair)) for pair in zip(network, position, strict=True)
    ]
    classes = {row["name"]: page.Interval.of(row["iou"]).mean for row in results["classes"]}
    rare = [classes[name] for name in ("Pole", "SignSymbol", "Pedestrian", "Bicyclist")]
    return {
        "a quarter of a mask is too little": every[-1].mean > every[-1].half,
        "between one image and all no difference can be told": abs(every[3].mean) < every[3].half,
        "the network is hardly ahead of the position": 0 < ahead[0].mean < 5,
        "sky and road are told, small things are not": min(classes["Sky"], classes["Road"]) > 50
        and max(rare) < 15,
    }


class Scenes:
    """Images (n, 3, 64, 64) in [0, 1], their masks (n, 64, 64) and the names of the classes."""

    def __init__(self, folder: Path) -> None:
        from imrep import images
        from imrep.datasets import masks

        dataset = masks.find(str(folder))
        own = dataset.annotations
        pixels = [torch.from_numpy(images.square(i.read(), _SIDE)[0]) for i in dataset.items]
        self.images = torch.stack(pixels).permute(0, 3, 1, 2).contiguous()
        drawn = [torch.from_numpy(own.of(item.path).square(_SIDE)) for item in dataset.items]
        self.masks, self.names = torch.stack(drawn).long(), own.classes.names


@cache
def data() -> Scenes:
    """The street scenes."""
    return Scenes(Path(os.environ["IMREP_DATA"]) / "segmentation" / "camvid_a")


def division(share: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows to train on, their masks, and rows to test on; below one image, a part of its mask."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(data().images)))
    test, rows = order[:_TEST], order[_TEST:][: max(1, round(share))]
    masks = data().masks[rows].clone()
    if share < 1:
        rng = np.random.default_rng(seed + 1)
        hidden = torch.ones(_SIDE, _SIDE, dtype=torch.bool)
        left, top = (int(rng.integers(2)) * _SIDE // 2 for _ in range(2))
        bottom = _SIDE if share >= 0.5 else top + _SIDE // 2
        hidden[0 if share >= 0.5 else top : bottom, left : left + _SIDE // 2] = False
        masks[:, hidden] = -1
    return rows, masks, test


def _parameters() -> int:
    return sum(p.numel() for p in _untrained().parameters())


def _untrained() -> torch.nn.Module:
    import imrep

    return imrep.get(f"ikshana:variant={_VARIANT},weights=random,classes={len(data().names)}")


def _network(share: float, seed: int, steps: int) -> list[list[int]]:
    """The confusion matrix of the test images after a training from scratch."""
    from imrep.base.augmentation import augmented_pair

    torch.manual_seed(seed)
    rows, masks, test = division(share, seed)
    rep, images = _untrained().train(), data().images
    optimiser = torch.optim.AdamW(rep.parameters(), _RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, steps + 1)
    for _ in range(steps):
        chosen = torch.randint(len(rows), (_BATCH,))
        pairs = [
            augmented_pair(images[rows[i]], masks[i], ("resized_crop", "flip", "jitter"), _SIDE)
            for i in chosen.tolist()
        ]
        image, mask = (torch.stack(part) for part in zip(*pairs, strict=True))
        optimiser.zero_grad()
        rep.loss({"image": image.float() / 255, "mask": mask}).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        return _confusion(rep.eval().segment(images[test].float() / 255).argmax(1), test)


def _position(share: float, seed: int) -> list[list[int]]:
    """The same, where each pixel has the class that is most frequent there in the masks.

    Where nothing is labelled, the class of the nearest row that is.
    """
    _, masks, test = division(share, seed)
    counts = torch.stack([(masks == i).sum(0) for i in range(len(data().names))])
    by_row = counts.sum(2, keepdim=True)
    labelled = by_row.sum(0)[:, 0].nonzero()[:, 0]
    nearest = (torch.arange(_SIDE)[:, None] - labelled).abs().argmin(1)
    counts = counts + 1e-3 * by_row[:, labelled[nearest]]
    return _confusion(counts.argmax(0).expand(len(test), -1, -1), test)


def _confusion(predicted: Tensor, test: Tensor) -> list[list[int]]:
    from imrep.ops.segmentation import confusion

    return confusion(data().masks[test], predicted, len(data().names)).tolist()


def _measured(matrices: list[list[list[list[int]]]]) -> Results:
    """Percent, by share and division."""
    from imrep.ops.segmentation import accuracy, mean_iou

    return {
        name: [[100 * function(torch.tensor(m)) for m in row] for row in matrices]
        for name, function in (("iou", mean_iou), ("accuracy", accuracy))
    }


def _by_class(matrices: list[list[list[int]]]) -> list[Results]:
    """The IoU of each class in percent, by division, of those that every test set has."""
    from imrep.ops.segmentation import intersection_over_union

    every = [intersection_over_union(torch.tensor(m)).tolist() for m in matrices]
    columns = zip(data().names, zip(*every, strict=True), strict=True)
    return [
        {"name": name, "iou": [100 * value for value in values]}
        for name, values in columns
        if all(value == value for value in values)
    ]


def draw(results: Results) -> dict[str, Spec]:
    """Mean IoU by the number of masks."""
    names = results["methods"]
    rows = [
        row
        for name, title in _TITLES.items()
        for row in page.curve(title, results["shares"], names[name]["iou"])
    ]
    inks = dict(zip(_TITLES.values(), _INKS, strict=True))
    x = page.axis("x", "images with a mask", log=True) | {
        "axis": {"values": results["shares"], "format": "~g"}
    }
    return {"iou": page.curves(rows, inks, x, page.axis("y", "mean IoU in %", zero=True))}


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
