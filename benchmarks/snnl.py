"""The soft nearest neighbour loss beside cross-entropy alone, and its temperatures, over seeds.

    python benchmarks/snnl.py                       scikit-learn's digits, and eurosat at 32 px
    python benchmarks/snnl.py --sets digits         one of them
    python benchmarks/snnl.py --seeds 5             fewer seeds than ten

On half of the images, another half for each seed, a network is trained with every loss, with as
many epochs. Of the other half it prints the accuracy of the network's own classifier and of five
neighbours, how well k-means on codes of length one finds the classes (normalised mutual
information), and the neighbour loss of the hidden layer at temperature 0.1: mean and standard
deviation, and the mean paired difference to cross-entropy with the p of a paired t-test. It asserts
that the annealed loss lowers the test neighbour loss on digits. Needs the shared data
(IMREP_DATA) for eurosat.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import ttest_rel
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

import imrep
from imrep.ops.resize import square
from imrep.represent.learned.snnl.neighbour_loss import neighbour_loss

DATA = Path(os.environ.get("IMREP_DATA", "../shared/data"))
MLP = "snnl:arch=mlp,side=8,layers=hidden"
LOSSES = {
    "cross-entropy": "factor=0",
    "annealed": "factor=1",
    "annealed, factor 10": "factor=10",
    "annealed, factor -0.1": "factor=-0.1",
    "fixed T=1": "factor=1,schedule=fixed",
    "fixed T=.1": "factor=1,schedule=fixed,temperature=0.1",
    "learned T": "factor=1,schedule=learned",
    "learned 1/T": "factor=1,schedule=inverse",
}
TEMPERATURES = ("annealed", "fixed T=1", "fixed T=.1", "learned T", "learned 1/T")
FIGURES = ("accuracy", "5-NN", "NMI", "SNNL")


class Images(NamedTuple):
    """Images and their classes."""

    images: torch.Tensor
    labels: torch.Tensor


class Trial(NamedTuple):
    """A network, what varies, and the images that it is trained on and tested with."""

    title: str
    spec: str
    variants: dict[str, str]
    images: Callable[[], Images]
    train: int | None = None  # images; None for half


def digits() -> Images:
    """1,797 digits of 8 × 8."""
    pixels, labels = load_digits(return_X_y=True)
    gray = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    return Images(gray.expand(-1, 3, -1, -1).contiguous(), torch.tensor(labels))


def eurosat() -> Images:
    """1,000 satellite photographs at 32 × 32."""
    folder = DATA / "classification" / "eurosat"
    files = sorted(path for path in folder.glob("*/*") if path.suffix != ".csv")
    names = sorted({path.parent.name for path in files})
    images = torch.cat([square(imrep.read(path), 32) for path in files]).clamp(0, 1)
    return Images(images, torch.tensor([names.index(path.parent.name) for path in files]))


TRIALS = {
    "digits": Trial("digits, 898 labels, perceptron, 60 epochs", MLP, LOSSES, digits),
    "digits100": Trial("digits, 100 labels, perceptron, 60 epochs", MLP, LOSSES, digits, 100),
    "eurosat": Trial(
        "eurosat, 500 labels, convolutions, 30 epochs, loss of the last layer",
        "snnl:epochs=30",
        {
            **{title: LOSSES[title] for title in ("cross-entropy", *TEMPERATURES)},
            "annealed, all hidden layers": "layers=hidden",
            "cross-entropy, curriculum": "factor=0,augment=1",
            "annealed, curriculum": "factor=1,augment=1",
        },
        eurosat,
    ),
}


def measure(spec: str, data: Images, train: int | None, seed: int) -> list[float]:
    """The figures of one training."""
    rows = np.arange(len(data.labels))
    learn, test = train_test_split(rows, test_size=0.5, stratify=data.labels, random_state=seed)
    if train:
        _, learn = train_test_split(
            learn, test_size=train, stratify=data.labels[learn], random_state=seed
        )
    rep = imrep.get(spec)
    rep.fit(data.images[learn], data.labels[learn], seed=seed)
    truth = data.labels[test]
    with torch.no_grad():
        codes, known = rep.embed(data.images[test]), rep.embed(data.images[learn])
        hidden = rep._layers(rep._normalised(data.images[test]))[-1]
        named = rep.network.behind(hidden)[-1].argmax(1)
    neighbours = KNeighborsClassifier(5).fit(known, data.labels[learn])
    clusters = KMeans(int(truth.max()) + 1, n_init=10, random_state=0).fit_predict(codes)
    return [
        100 * float((named == truth).float().mean()),
        100 * neighbours.score(codes, truth),
        normalized_mutual_info_score(truth, clusters),
        float(neighbour_loss(codes, truth, 0.1)),
    ]


def run(trial: Trial, seeds: int) -> dict[str, np.ndarray]:
    """Print a table of one trial; figures (seeds, 4) of every loss."""
    data, results = trial.images(), {}
    start = time.process_time()
    print(f"\n{trial.title}, {seeds} seeds", flush=True)
    print("| loss | " + " | ".join(FIGURES) + " | NMI, difference | SNNL, difference |")
    print("|---" * 7 + "|")
    for title, parameters in trial.variants.items():
        spec = f"{trial.spec},{parameters}"
        results[title] = np.array([measure(spec, data, trial.train, s) for s in range(seeds)])
        print(row(title, results[title], results["cross-entropy"]), flush=True)
    print(f"{time.process_time() - start:.0f} processor seconds")
    return results


def row(title: str, own: np.ndarray, plain: np.ndarray) -> str:
    """A line of the table."""
    cells = [
        f"{mean:.1f} ± {deviation:.1f}" if mean > 10 else f"{mean:.3f} ± {deviation:.3f}"
        for mean, deviation in zip(own.mean(0), own.std(0, ddof=1), strict=True)
    ]
    for column in (2, 3):
        difference = own[:, column] - plain[:, column]
        p = ttest_rel(own[:, column], plain[:, column]).pvalue if difference.any() else 1
        cells.append(f"{difference.mean():+.3f} (p {p:.1g})")
    return f"| {title} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", FutureWarning)
    for name in options.sets:
        results = run(TRIALS[name], options.seeds)
        if name == "digits":
            annealed, plain = results["annealed"][:, 3], results["cross-entropy"][:, 3]
            assert annealed.max() < 0.5 * plain.min(), (annealed, plain)


if __name__ == "__main__":
    main()
