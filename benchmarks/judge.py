"""imrep's judge beside tuned classifiers of scikit-learn, on the same vectors and folds.

    python benchmarks/judge.py                             seven sets, nineteen representations
    python benchmarks/judge.py --sets dtd_a -r hog -r dct  some of them; no figure is asserted
    python benchmarks/judge.py --out FILE                  where measurements are kept

Each classifier answers for images whose group it has not seen, and is tuned inside the training
images of each fold (`tuned_classifiers.py`). "best" is the largest of the three accuracies of
scikit-learn's: the best in hindsight, which no user can know beforehand. Prints balanced accuracies
in %, the processor seconds of each side, and asserts the figures that are asked of the judge. Needs
the shared data (IMREP_DATA).
"""

import argparse
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import encoded_sets
import numpy as np
import torch
from encoded_sets import REPRESENTATIONS, SETS, EncodedSet
from partial_results import PartialResults, Row, default
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits
from tuned_classifiers import CLASSIFIERS, Predict

from imrep.comparison.probes.classifier import balanced_accuracy, cross_validate
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.estimators.model import MAX_DECOMPOSED

MIN_MEAN, MIN_WORST, MIN_RANK = 0.0, -6.0, 0.94  # points, points, rank correlation


class Measured(NamedTuple):
    """The accuracies of one set, in %, a number per representation."""

    judge: np.ndarray
    linear: np.ndarray
    best: np.ndarray

    def ranks(self) -> tuple[float, float]:
        """Rank correlation of the linear ridge and of the judge with the best."""
        return tuple(float(spearmanr(x, self.best)[0]) for x in (self.linear, self.judge))

    def regret(self) -> tuple[float, float]:
        """What the best classifier loses on the representation that they put first."""
        return tuple(
            float(self.best.max() - self.best[x.argmax()]) for x in (self.linear, self.judge)
        )


def measure(data: EncodedSet, candidate: EncodedCandidate) -> Row:
    """Accuracies in % and processor seconds of all classifiers on one representation."""
    dataset, folds = data.dataset, list(data.folds(candidate))  # codebooks are fitted by now
    row: Row = {}

    def timed(name: str, work: Callable[[], Row]) -> None:
        start = time.process_time()
        row.update(work())
        row[f"cpu_{name}"] = round(time.process_time() - start, 3)

    def judge() -> Row:
        found = cross_validate(
            candidate.views(dataset), dataset.labels, dataset.groups, dataset.folds, dataset.seed
        )
        labels = dataset.labels
        numbers = {
            "judge": found.accuracy(labels),
            "linear": found.linear_accuracy(labels),
            "knn": found.knn_accuracy(labels),
        }
        return {name: 100 * number for name, number in numbers.items()} | {"by": found.by}

    def peer(name: str, predict: Predict) -> Row:
        answers = np.empty_like(dataset.labels)
        for vectors, train, test in folds:
            classes, groups = dataset.labels[train], dataset.groups[train]
            answers[test] = predict(vectors[train], classes, groups, vectors[test])
        return {name: 100 * balanced_accuracy(answers == dataset.labels, dataset.labels)}

    assert dataset.folds.largest_train <= MAX_DECOMPOSED
    timed("judge", judge)
    for name, predict in CLASSIFIERS.items():
        timed(name, functools.partial(peer, name, predict))
    return row


def print_set(name: str, rows: Sequence[Row]) -> Measured:
    """Print the table of one set."""
    table = {key: np.array([row[key] for row in rows]) for key in ("judge", "linear", *CLASSIFIERS)}
    best = np.stack([table[key] for key in CLASSIFIERS]).max(0)
    measured = Measured(table["judge"], table["linear"], best)
    heads = " ".join(f"{head:>9}" for head in (*table, "best"))
    print(f"\n{name:<13}{heads} judge-best  by")
    for row, top in zip(rows, best, strict=True):
        cells = " ".join(f"{row[key]:9.1f}" for key in table)
        print(f"{row['spec']:<13}{cells} {top:9.1f} {row['judge'] - top:+10.1f}  {row['by']}")
    means = " ".join(f"{table[key].mean():9.1f}" for key in table)
    print(f"{'mean':<13}{means} {best.mean():9.1f} {(measured.judge - best).mean():+10.1f}")
    return measured


def summarise(sets: Sequence[Measured], rows: Sequence[Row]) -> tuple[float, float, float]:
    """Print the figures over all sets; the mean and worst difference, and the rank correlation."""
    differences = np.concatenate([each.judge - each.best for each in sets])
    ranks = np.array([each.ranks() for each in sets])
    regrets = np.array([each.regret() for each in sets])
    mean, worst, rank = differences.mean(), differences.min(), ranks[:, 1].mean()
    print(f"\njudge minus best: mean {mean:+.2f}, worst {worst:+.1f} of {len(differences)}")
    print(f"rank correlation with the best: linear {ranks[:, 0].mean():.3f}, judge {rank:.3f}")
    print(
        f"regret of the first: linear {regrets[:, 0].mean():.2f}, judge {regrets[:, 1].mean():.2f}"
    )
    for name in ("judge", *CLASSIFIERS):
        print(f"processor seconds of {name}: {sum(row[f'cpu_{name}'] for row in rows):.1f}")
    return float(mean), float(worst), float(rank)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    options.add_argument("-r", action="append", dest="specs")
    options.add_argument("--out", type=Path, default=default("judge"))
    arguments = options.parse_args()
    specs = tuple(arguments.specs or REPRESENTATIONS)
    results = PartialResults(arguments.out, "set", "spec")
    torch.set_num_threads(1)
    measured, rows = [], []
    with threadpool_limits(1):
        for name in arguments.sets:
            data = encoded_sets.read(name, SETS[name], specs)
            own = [
                results.get(functools.partial(measure, data, each), set=name, spec=each.spec)
                for each in data.encoded
            ]
            measured.append(print_set(name, own))
            rows += own
    mean, worst, rank = summarise(measured, rows)
    if len(rows) == len(SETS) * len(REPRESENTATIONS):
        assert mean >= MIN_MEAN, mean
        assert worst >= MIN_WORST, worst
        assert rank >= MIN_RANK, rank


if __name__ == "__main__":
    main()
