"""How often the verdict errs: equals separated, truths that intervals miss, false alarms.

    python benchmarks/equals.py                          everything, 200 draws of each
    python benchmarks/equals.py --only 10x10 noise       some of it
    python benchmarks/equals.py --draws 20 --out FILE    fewer; where measurements are kept

Every draw is a folder of real images sampled from a shared set, judged by the protocol itself.

equals: eight representations that no one can order, since each adds noise of its own to the same
    vectors, or projects them at random. Asked: any of them is dropped in at most 5 % of the draws.
coverage: accuracy and differences of real representations beside those on all images that are not
    in the folder, named by the classifiers of the folds. Asked: 95 % intervals hold 93 to 99 %.
noise: vectors that do not depend on the image. Asked: at most one alarm in 200.

Needs the shared data (IMREP_DATA).
"""

import argparse
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import encoded_sets
import numpy as np
import torch
from encoded_sets import EncodedSet
from partial_results import PartialResults, Row, default
from threadpoolctl import threadpool_limits

from imrep.comparison.data import controls, folds
from imrep.comparison.data.controls import Score
from imrep.comparison.probes import classifier
from imrep.comparison.probes.classifier import balanced_accuracy, cross_validate
from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.verdict import judge
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import fit
from imrep.estimators.targets import Targets

EQUALS = 8
MAX_SPLIT, MIN_COVERED, MAX_COVERED, MAX_ALARMS = 0.05, 0.93, 0.99, 1 / 200
_PROJECTED = 24  # dimensions of a random projection
_NOISE_DIMENSIONS = 64


@dataclass(frozen=True)
class Shape:
    """A folder of equals.

    Args:
        sizes: Images of each class.
        source: Representation of eurosat that the equals are made of.
        projected: Whether they are random projections; else noise is added.
    """

    sizes: tuple[int, ...]
    source: str
    projected: bool = False


SHAPES = {
    "10x10": Shape((10,) * 10, "gradient"),
    "10x10 projected": Shape((10,) * 10, "gradient", projected=True),
    "4x25": Shape((25,) * 4, "gradient"),
    "10x30": Shape((30,) * 10, "gradient"),
    "40:5": Shape((40, 5), "dct"),
    "60:6": Shape((60, 6), "dct"),
}
COVERAGE = {  # images in a folder, representations
    "eurosat": (100, ("gradient", "hog", "dct", "scattering", "histogram", "pixels")),
    "mnist": (200, ("gradient", "hog", "dct", "pixels")),
    "cifar10": (300, ("gradient", "hog", "dct", "filterbank", "histogram")),
}
NOISE = {"10x10": (10,) * 10, "60:6": (60, 6)}


def sampled(labels: np.ndarray, sizes: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Indices of that many images of as many classes, both at random."""
    classes = rng.choice(labels.max() + 1, len(sizes), replace=False)
    own = [
        rng.choice(np.flatnonzero(labels == c), size, replace=False)
        for c, size in zip(classes, sizes, strict=True)
    ]
    return np.concatenate(own)


def separated(shape: Shape, vectors: np.ndarray, labels: np.ndarray, seed: int) -> Row:
    """How many of eight equals the verdict calls tied."""
    rng = np.random.default_rng(seed)
    images = sampled(labels, shape.sizes, rng)
    z = vectors[images]
    own, groups = np.repeat(np.arange(len(shape.sizes)), shape.sizes), np.arange(len(images))
    parts = folds.split(own, groups, seed)
    hits = []
    for _ in range(EQUALS):
        if shape.projected:
            code = z @ rng.normal(size=(z.shape[1], _PROJECTED))
        else:
            code = z + rng.normal(size=z.shape)  # features have a standard deviation of one
        kernels = Kernels(code.astype(np.float32), "equal")
        hits.append(cross_validate(kernels, own, groups, parts, seed).probe == own)
    return {"tied": len(judge(np.array(hits), own, groups, seed).tied)}


def coverage(data: EncodedSet, kernels: Sequence[Kernels], images: int, seed: int) -> Row:
    """Which intervals hold the truth: of every accuracy and of every difference.

    The kernels' statistics are those of the complete set, which labels do not enter.
    """
    every, rng = data.dataset.labels, np.random.default_rng(seed)
    count = int(every.max()) + 1
    own = sampled(every, (images // count,) * count, rng)
    labels, groups = every[own], data.dataset.groups[own]
    rest = np.flatnonzero(~np.isin(data.dataset.groups, groups))
    parts = folds.split(labels, groups, seed)
    hits = np.zeros((len(kernels), len(own)), bool)
    truth = np.zeros((len(kernels), parts.k))
    for j, each in enumerate(kernels):
        for fold, (train, test) in enumerate(parts):
            targets = Targets.of(labels[train], groups[train], count)
            asked = np.concatenate([own[test], rest])
            model = fit(each, own[train], targets).best
            scores = classifier.fold_scores(each, model, own[train], asked)
            answers = classifier.predicted_class(scores.finish(targets).test)
            hits[j, test] = answers[: len(test)] == labels[test]
            truth[j, fold] = balanced_accuracy(answers[len(test) :] == every[rest], every[rest])
    exact, boot = truth.mean(1), bootstrap(hits, labels, groups, seed)
    low, high = boot.intervals()
    pairs = [(a, b, *boot.difference(a, b)[1:]) for a, b in combinations(range(len(kernels)), 2)]
    return {
        "one": ((low <= exact) & (exact <= high)).tolist(),
        "difference": [bool(lo <= exact[a] - exact[b] <= hi) for a, b, lo, hi in pairs],
    }


def alarm(sizes: Sequence[int], seed: int) -> Row:
    """Whether noise raises an alarm, and its distance from guessing in standard errors."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    groups = np.arange(len(labels))
    vectors = rng.standard_normal((len(labels), _NOISE_DIMENSIONS)).astype(np.float32)
    parts = folds.split(labels, groups, seed)
    found = cross_validate(Kernels(vectors, "noise"), labels, groups, parts, seed)
    score = Score(found.accuracy(labels), found.knn_accuracy(labels))
    chance = 1 / len(sizes)
    error = np.sqrt(np.mean(chance * (1 - chance) / np.array(sizes)) * chance)
    raised = controls.alarms(sizes, [], noise=score)
    return {"alarm": bool(raised), "z": round(float((score.best - chance) / error), 2)}


def run_equals(name: str, draws: int, results: PartialResults) -> bool:
    """Print the share of draws in which equals are separated; whether it is as asked."""
    shape = SHAPES[name]
    data = encoded_sets.read("eurosat", None, [shape.source])
    z = np.asarray(data.encoded[0].vectors(data.dataset.rows), np.float64)
    z = (z - z.mean(0)) / np.maximum(z.std(0), 1e-3 * z.std(0).max())
    labels = data.dataset.labels
    rows = [
        results.get(functools.partial(separated, shape, z, labels, seed), what=name, seed=seed)
        for seed in range(draws)
    ]
    split = np.array([row["tied"] < EQUALS for row in rows])
    print(f"{EQUALS} equals, {name:<16} separated in {split.sum()} of {draws} ({split.mean():.1%})")
    return bool(split.mean() <= MAX_SPLIT)


def run_coverage(name: str, draws: int, results: PartialResults) -> bool:
    """Print the coverage of both kinds of intervals; whether it is as asked."""
    images, specs = COVERAGE[name]
    data = encoded_sets.read(name, None, specs)
    rows = data.dataset.rows
    kernels = [Kernels(each.vectors(rows), each.spec) for each in data.encoded]
    what = f"coverage {name}"
    measured = [
        results.get(functools.partial(coverage, data, kernels, images, seed), what=what, seed=seed)
        for seed in range(draws)
    ]
    covered = {kind: np.mean([row[kind] for row in measured]) for kind in ("one", "difference")}
    print(f"{what}, {images} images: " + ", ".join(f"{k} {v:.1%}" for k, v in covered.items()))
    return all(MIN_COVERED <= share <= MAX_COVERED for share in covered.values())


def run_noise(name: str, draws: int, results: PartialResults) -> bool:
    """Print the number of false alarms; whether it is as asked."""
    what = f"noise {name}"
    rows = [
        results.get(functools.partial(alarm, NOISE[name], seed), what=what, seed=seed)
        for seed in range(draws)
    ]
    alarms, z = sum(row["alarm"] for row in rows), np.array([row["z"] for row in rows])
    print(f"{what}: {alarms} alarms of {draws}; z mean {z.mean():.2f}, sd {z.std():.2f}, ", end="")
    print(f"max {z.max():.2f}")
    return alarms <= MAX_ALARMS * draws


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", nargs="+", default=[*SHAPES, "coverage", "noise"])
    options.add_argument("--draws", type=int, default=200)
    options.add_argument("--out", type=Path, default=default("equals"))
    arguments = options.parse_args()
    results = PartialResults(arguments.out, "what", "seed")
    torch.set_num_threads(1)
    passed = {}
    with threadpool_limits(1):
        for name in arguments.only:
            if name in SHAPES:
                passed[name] = run_equals(name, arguments.draws, results)
            elif name == "coverage":
                for each in COVERAGE:
                    passed[f"{name} {each}"] = run_coverage(each, arguments.draws // 5, results)
            else:
                for each in NOISE:
                    passed[f"{name} {each}"] = run_noise(each, arguments.draws, results)
    missed = [name for name, fine in passed.items() if not fine]
    assert not missed, missed


if __name__ == "__main__":
    main()
