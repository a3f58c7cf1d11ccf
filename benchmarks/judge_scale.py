"""Processor seconds and peak memory of judging many images, and which parts they go to.

    python benchmarks/judge_scale.py                      1,000, 5,000 and 20,000 images
    python benchmarks/judge_scale.py --only 5000 -r hog   one of them, some representations

1,000: eurosat. 5,000: seven shared sets and the built-in one pooled, the classes of each its own
(a codebook, too, is each set's own, which no accuracy printed here should be read for). 20,000:
four copies of each of these, jittered by a tenth of a standard deviation and in one group. Vectors
are mapped from disk, as in `imrep compare`; encoding is not timed. Asked: 19 representations of
1,000 images in 20 s, of 5,000 in 400 s; five of 20,000 in at most 1.5 GB. Needs the shared data
(IMREP_DATA).
"""

import argparse
import cProfile
import pstats
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import encoded_sets
import numpy as np
import torch
from encoded_sets import REPRESENTATIONS
from threadpoolctl import threadpool_limits

from imrep.comparison.data import folds
from imrep.comparison.probes.classifier import cross_validate
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_DECOMPOSED

POOLED = (
    *("builtin", "caltech101_a", "cifar10", "dtd_a"),
    *("eurosat", "mnist", "orl_faces_a", "sign_digits"),
)
FIVE = ("gradient", "histogram", "hog", "dct", "pixels")
COPIES, JITTER = 4, 0.1
MAX_SECONDS = {1_000: 20, 5_000: 400}  # for nineteen representations
MAX_GIGABYTES = 1.5
PARTS = {  # what is timed, by file and function
    "kernels": (("kernels.py", "__init__"), ("kernels.py", "block"), ("kernels.py", "constant_in")),
    "decomposition": (("ridge.py", "of"),),
    "left out": (("ridge.py", "left_out"),),
    "loss": (("selection.py", "loss"),),
    "subset": (("selection.py", "subset"),),
    "Cholesky": (("cholesky.py", "of"), ("cholesky.py", "left_out")),
    "scores": (("ridge.py", "scores"), ("cholesky.py", "scores")),
    "neighbours": (("nearest.py", "neighbour_votes"),),
    "discriminant": (("discriminant.py", "finish"),),
}


class Pool(NamedTuple):
    """Labelled images and the files of their vectors, by representation."""

    labels: np.ndarray
    groups: np.ndarray
    vectors: dict[str, Path]


def pool(names: Sequence[str], specs: Sequence[str], copies: int, folder: Path) -> Pool:
    """The sets as one, each image there `copies` times."""
    labels, groups = [], []
    parts: dict[str, list[np.ndarray]] = {spec: [] for spec in specs}
    for name in names:
        data = encoded_sets.read(name, None, specs)
        dataset = data.dataset
        for into, own in ((labels, dataset.labels), (groups, dataset.groups)):
            into.append(own + 1 + max((part.max() for part in into), default=-1))
        for each in data.encoded:
            parts[each.spec].append(np.asarray(each.vectors(dataset.rows), np.float32))
    paths = {}
    for spec, own in parts.items():
        paths[spec] = folder / f"{spec}-{copies}.npy"
        np.save(paths[spec], _jittered(np.concatenate(own), copies))
    return Pool(
        np.tile(np.concatenate(labels), copies), np.tile(np.concatenate(groups), copies), paths
    )


def _jittered(vectors: np.ndarray, copies: int) -> np.ndarray:
    rng, spread = np.random.default_rng(0), JITTER * vectors.std(0)
    more = [
        vectors + spread * rng.standard_normal(vectors.shape, np.float32) for _ in range(copies - 1)
    ]
    return np.concatenate([vectors, *more])


def judge(images: Pool) -> tuple[float, dict[str, float]]:
    """Processor seconds of all representations, in all and by part."""
    parts = folds.split(images.labels, images.groups)
    stored = parts.largest_train <= MAX_DECOMPOSED
    profile, total = cProfile.Profile(time.process_time), 0.0
    for spec, path in images.vectors.items():
        start = time.process_time()
        profile.enable()
        kernels = Kernels(np.load(path, mmap_mode="r"), spec, stored)
        found = cross_validate(kernels, images.labels, images.groups, parts)
        profile.disable()
        seconds = time.process_time() - start
        total += seconds
        print(
            f"  {spec:<13}{seconds:8.2f} s {100 * found.accuracy(images.labels):6.1f} % {found.by}"
        )
    return total, by_part(profile)


def by_part(profile: cProfile.Profile) -> dict[str, float]:
    """Seconds of each part, with all that it calls."""
    stats = pstats.Stats(profile).stats
    seconds = {
        (Path(file).name, function): timing[3]
        for (file, _, function), timing in stats.items()
        if "imrep" in file
    }
    return {part: sum(seconds.get(at, 0.0) for at in where) for part, where in PARTS.items()}


def peak() -> float:
    """Peak memory of this process so far, in GB of 1,000,000,000 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def run(images: int, specs: Sequence[str], folder: Path) -> None:
    """Print seconds and memory of one size, and assert what is asked."""
    names, copies = (("eurosat",), 1) if images == 1_000 else (POOLED, 1)
    copies = COPIES if images == 20_000 else copies
    data = pool(names, specs, copies, folder)
    count, classes = len(data.labels), data.labels.max() + 1
    print(f"\n{len(specs)} representations of {count} images, {classes} classes")
    before = peak()
    seconds, parts = judge(data)
    after = peak()
    print(f"{seconds:.1f} s of the processor, peak {after:.2f} GB ({before:.2f} GB before)")
    for part, own in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"  {part:<14}{own:8.2f} s {own / seconds:6.1%}")
    limit = MAX_SECONDS.get(images)
    assert limit is None or seconds <= limit * len(specs) / len(REPRESENTATIONS), seconds
    assert after <= max(MAX_GIGABYTES, before), after


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", type=int, nargs="+", default=[1_000, 5_000, 20_000])
    options.add_argument("-r", action="append", dest="specs")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        for images in arguments.only:
            specs = FIVE if images == 20_000 else REPRESENTATIONS
            run(images, arguments.specs or specs, Path(folder))


if __name__ == "__main__":
    main()
