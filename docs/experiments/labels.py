"""Accuracy by the number of labels: networks from scratch, a frozen one, and without training.

    IMREP_DATA=data python docs/experiments/labels.py

The folder classification/cifar10 decides how far the curves go: up to two thirds of its images of a
class are for training. That of the shared data has 150.
"""

import os
from functools import cache, partial
from pathlib import Path

import numpy as np
import page
import torch
import torch.nn.functional as F
from page import Record, Results, Spec
from torch import Tensor, nn

_SIDE, _BATCH = 32, 32  # pixels of an image; images of a step
_COUNTS = (10, 30, 100, 300, 1000)  # images of a class
_TITLES = {
    "lite0": "EfficientNet-lite0, pretrained and frozen",
    "scattering": "scattering, classifier",
    "resnet": "ResNet from scratch",
    "vit": "ViT from scratch",
}
_INKS = (page.ACCENT, page.THIRD, page.SECOND, page.OTHER)
_FROZEN = {"lite0": "cnn:arch=tf_efficientnet_lite0,side=96", "scattering": "scattering:scales=3"}


def measure(quick: bool) -> Record:
    """All methods on the same splits."""
    seeds, steps, every = (2, 2, 10) if quick else (3, 200, 1)
    available = min(np.bincount(data(every).labels)) * 2 // 3
    counts = [count for count in _COUNTS if count <= available] or [available // 2, available]
    jobs = [(method, count, s) for method in _TITLES for count in counts for s in range(seeds)]
    scores = page.in_parallel([partial(_accuracy, *job, steps, every) for job in jobs])
    accuracies = dict(zip(jobs, scores, strict=True))
    methods = {
        method: {
            "title": title,
            "parameters": parameters(method),
            "accuracy": [[accuracies[method, c, s] for s in range(seeds)] for c in counts],
        }
        for method, title in _TITLES.items()
    }
    results: Results = {
        "side": _SIDE,
        "seeds": seeds,
        "steps": steps,
        "images": len(data(every).labels),
        "counts": counts,
        "methods": methods,
    }
    results["crossing"] = crossing(results, "resnet", "vit")
    return Record(results)


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    methods = {name: each["accuracy"] for name, each in results["methods"].items()}
    gaps = [
        page.Interval.of(page.difference(methods["lite0"][i], methods[other][i]))
        for other in ("scattering", "resnet", "vit")
        for i in range(len(results["counts"]))
    ]
    return {"what was learned elsewhere decides": all(gap.mean - gap.half > 0 for gap in gaps)}


class Images:
    """Photographs (n, 3, 32, 32) in [0, 1] and their classes."""

    def __init__(self, folder: Path, every: int) -> None:
        from imrep import images

        files = sorted(folder.glob("*/*.*"))[::every]
        names = sorted({path.parent.name for path in files})
        self.labels = np.array([names.index(path.parent.name) for path in files])
        pixels = [torch.from_numpy(images.square(path, _SIDE)[0]) for path in files]
        self.images = torch.stack(pixels).permute(0, 3, 1, 2).float() / 255


@cache
def data(every: int) -> Images:
    """All images, or every nth."""
    return Images(Path(os.environ["IMREP_DATA"]) / "classification" / "cifar10", every)


def network(name: str) -> nn.Module:
    """A small ResNet or vision transformer of timm's parts for images of 32 × 32."""
    from timm.models.resnet import BasicBlock, ResNet
    from timm.models.vision_transformer import VisionTransformer

    if name == "vit":
        return VisionTransformer(
            img_size=_SIDE, patch_size=4, embed_dim=64, depth=4, num_heads=4, num_classes=10
        )
    channels = (16, 24, 48, 64)
    resnet = ResNet(BasicBlock, [1] * 4, 10, stem_type="deep", stem_width=8, channels=channels)
    resnet.conv1[0].stride, resnet.maxpool = (1, 1), nn.Identity()  # for images this small
    return resnet


def parameters(method: str) -> int:
    """How many numbers are trained, apart from the classifier of a frozen vector."""
    return 0 if method in _FROZEN else sum(p.numel() for p in network(method).parameters())


def crossing(results: Results, leader: str, challenger: str) -> Results:
    """Where the challenger overtakes, as in the learning curves of `imrep compare`.

    Zeros where that cannot be told.
    """
    from imrep.comparison.statistics.crossing import crossing

    curves = (np.array(results["methods"][name]["accuracy"]) / 100 for name in (leader, challenger))
    place = crossing(results["counts"], *curves)
    names = ("labels", "low", "high")
    return {"known": place is not None, **dict(zip(names, place or (0.0,) * 3, strict=True))}


def _accuracy(method: str, count: int, seed: int, steps: int, every: int) -> float:
    """Percent of the test images."""
    from sklearn.model_selection import train_test_split

    labels = data(every).labels
    learn, test = train_test_split(
        np.arange(len(labels)), test_size=1 / 3, stratify=labels, random_state=seed
    )
    rng = np.random.default_rng(seed)
    order = rng.permutation(learn)
    chosen = np.concatenate([order[labels[order] == c][:count] for c in range(10)])
    right = _frozen if method in _FROZEN else partial(_trained, seed=seed, steps=steps)
    return 100 * float(right(method, chosen, test, every).mean())


@cache
def _vectors(method: str, every: int) -> np.ndarray:
    import imrep

    rep, images = imrep.get(_FROZEN[method]), data(every).images
    with torch.no_grad():
        return torch.cat([rep.embed(part) for part in images.split(50)]).numpy()


def _frozen(method: str, learn: np.ndarray, test: np.ndarray, every: int) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    vectors, labels = _vectors(method, every), data(every).labels
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    return classifier.fit(vectors[learn], labels[learn]).predict(vectors[test]) == labels[test]


def _trained(
    method: str, learn: np.ndarray, test: np.ndarray, every: int, *, seed: int, steps: int
) -> np.ndarray:
    torch.manual_seed(seed)
    model, images = network(method), data(every).images - 0.5
    labels = torch.from_numpy(data(every).labels)
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps + 1)
    for _ in range(steps):
        rows = torch.from_numpy(learn)[torch.randint(len(learn), (_BATCH,))]
        optimiser.zero_grad()
        F.cross_entropy(model(_augmented(images[rows])), labels[rows]).backward()
        optimiser.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        return (model(images[test]).argmax(1) == labels[test]).numpy()


def _augmented(images: Tensor) -> Tensor:
    """Shifted by up to four pixels and flipped, each at random."""
    padded, result = F.pad(images, (4, 4, 4, 4)), []
    for image, (y, x), flip in zip(
        padded, torch.randint(9, (len(images), 2)), torch.rand(len(images)) < 0.5, strict=True
    ):
        cut = image[:, y : y + _SIDE, x : x + _SIDE]
        result.append(cut.flip(2) if flip else cut)
    return torch.stack(result)


def draw(results: Results) -> dict[str, Spec]:
    """Accuracy by the number of images of a class."""
    methods = results["methods"].values()
    rows = [
        row for m in methods for row in page.curve(m["title"], results["counts"], m["accuracy"])
    ]
    inks = dict(zip(_TITLES.values(), _INKS, strict=True))
    x = page.axis("x", "images of a class", log=True, at=results["counts"])
    return {"accuracy": page.curves(rows, inks, x, page.axis("y", "accuracy, %", zero=True))}


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
