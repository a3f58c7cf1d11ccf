"""The accuracy of networks that read frequencies and of one that reads pixels, at equal compute.

Part of benchmarks/dctnet.py. On every set, with every seed: DCT-24, DCT-48, DCT-64, a gate over all
192 frequencies, and pixels, the same ResNet-18 from random weights, the same files at the same
side, order, augmentation and optimiser. Frequencies are read at the files' side S. Pixels are read
at S/2, as in the paper: the maps behind the stem are then as large, and so are the
multiply-accumulates of an image. A second network of pixels reads S, and sees a quarter of the
epochs, so that its training has as many multiply-accumulates as the others'.
"""

import csv
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from partial_results import PartialResults
from scipy.stats import t as student
from torch import nn

import imrep
from imrep import images
from imrep.base import descent
from imrep.base.descent import Course
from imrep.networks.counting import count
from imrep.represent.learned.dctnet.augmentation import mirrored_and_shifted

DATA = Path(os.environ.get("IMREP_DATA", "../shared/data")) / "classification"
ARCH = "resnet18"
_RATE = 2e-3  # of Adam


class Set(NamedTuple):
    """A folder with a split.csv, and the side in pixels that its files are read at."""

    folder: str
    side: int
    epochs: int


class Model(NamedTuple):
    """What reads the images: a spec but for the classes and epochs, its side, share of epochs."""

    title: str
    spec: str
    share: int = 1  # of the side, and its square of the epochs


SETS = (Set("eurosat", 64, 32), Set("caltech101_a", 128, 32))
MODELS = (
    Model("DCT-24", f"dctnet:arch={ARCH},channels=24"),
    Model("DCT-48", f"dctnet:arch={ARCH},channels=48"),
    Model("DCT-64", f"dctnet:arch={ARCH},channels=64"),
    Model("gate", f"dctnet:arch={ARCH},channels=192,gate=true,lam=0.005"),
    Model("RGB, half the side", f"cnn:arch={ARCH},weights=random,layer=penultimate", 2),
    Model("RGB, a quarter of the epochs", f"cnn:arch={ARCH},weights=random,layer=penultimate"),
)


class Images(NamedTuple):
    """Images (n, 3, S, S), their classes, and which are trained on."""

    images: torch.Tensor
    labels: torch.Tensor
    trained: np.ndarray


def read(own: Set) -> Images:
    """All images of a set."""
    with (DATA / own.folder / "split.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    squares = [images.square(DATA / own.folder / row["path"], own.side)[0] for row in rows]
    pixels = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).contiguous().float() / 255
    names = sorted({row["label"] for row in rows})
    labels = torch.tensor([names.index(row["label"]) for row in rows])
    return Images(pixels, labels, np.array([row["split"] == "train" for row in rows]))


def spec(model: Model, own: Set, quick: bool) -> str:
    """With its epochs and the side that it reads."""
    pixels = model.title.startswith("RGB")
    epochs = max(1, own.epochs // (4 if pixels and model.share == 1 else 1) // (16 if quick else 1))
    return f"{model.spec},epochs={epochs},side={own.side // model.share}"


def measure(text: str, data: Images, seed: int) -> dict[str, Any]:
    """Train, and classify the test images."""
    rep: Any = imrep.get(text, classes=int(data.labels.max()) + 1)
    began = time.process_time()
    pictures, labels = data.images[data.trained], data.labels[data.trained]

    def loss(rows: np.ndarray, _: int) -> torch.Tensor:
        return rep.loss({"image": mirrored_and_shifted(pictures[rows]), "label": labels[rows]})

    descent.descend(rep, loss, len(labels), Course(rep.epochs, _RATE, seed, ""))
    seconds = time.process_time() - began
    tested = data.images[~data.trained]
    with torch.no_grad():
        parts = [logits(rep)(part) for part in tested.split(64)]
    correct = torch.cat(parts).argmax(1) == data.labels[~data.trained]
    channels = len(rep.selected()) if hasattr(rep, "selected") else 3
    return {
        "accuracy": 100 * float(correct.float().mean()),
        "channels": channels,
        "macs": macs(rep, tested.shape[2]),
        "tested": len(tested),
        "seconds": seconds,
    }


def logits(rep: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """The scores of the classes."""
    if hasattr(rep, "logits"):
        return rep.logits
    return lambda image: rep.classifier.linear(rep.embed(image))


class _Reads(nn.Module):
    def __init__(self, rep: Any) -> None:
        super().__init__()
        self.rep = rep

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return logits(self.rep)(image)


def macs(rep: Any, side: int) -> int:
    """Multiply-accumulates of an image, with the DCT."""
    return count(_Reads(rep), torch.full((1, 3, side, side), 0.5)).total


def run(out: Path, seeds: int, quick: bool) -> None:
    """Measure what is not yet in the file `out`, and print a table of every set."""
    results = PartialResults(out, "set", "spec", "seed")
    for own in SETS:
        data = read(own)
        rows: dict[str, list[dict[str, Any]]] = {}
        for model in MODELS:
            for seed in range(seeds):
                text = spec(model, own, quick)
                row = results.get(
                    lambda text=text, seed=seed, data=data: measure(text, data, seed),
                    set=own.folder, spec=text, seed=seed,
                )  # fmt: skip
                rows.setdefault(model.title, []).append(row)
                print(f"{model.title}, seed {seed}: {row['accuracy']:.1f} %", flush=True)
        table(own, rows)


def table(own: Set, rows: dict[str, list[dict[str, Any]]]) -> None:
    """In Markdown: means over seeds, differences to pixels of half the side, 95 % intervals."""
    pixels = np.array([row["accuracy"] for row in rows["RGB, half the side"]])
    first = rows["DCT-24"][0]
    print(f"\n{own.folder} at {own.side} px, {first['tested']} test images, {len(pixels)} seeds\n")
    print("| reads | channels | million multiply-accumulates | accuracy, % | difference to RGB |")
    print("|:--|--:|--:|--:|--:|")
    for title, measured in rows.items():
        accuracy = np.array([row["accuracy"] for row in measured])
        channels = np.mean([row["channels"] for row in measured])
        cells = [title, f"{channels:.0f}", f"{measured[0]['macs'] / 1e6:.0f}", interval(accuracy)]
        gap = "–" if title == "RGB, half the side" else interval(accuracy - pixels, "+")
        print("| " + " | ".join([*cells, gap]) + " |")
    print(flush=True)


def interval(values: np.ndarray, sign: str = "") -> str:
    """Mean ± half of the 95 % interval of Student's t over seeds."""
    if len(values) < 2:
        return f"{values.mean():{sign}.1f}"
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():{sign}.1f} ± {half:.1f}"
