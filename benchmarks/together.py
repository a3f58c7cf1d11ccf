"""All representations put together, beside the best of them alone, and sums beside their parts.

    python benchmarks/together.py                       six sets, nineteen representations
    python benchmarks/together.py --sets dtd_a eurosat  some of them; no figure is asserted

Prints points of balanced accuracy over the leader for the combination of all and of those under a
millisecond, how often chance opens a larger gap, the mean number of parts, the negative log
likelihood and the calibration error of its probabilities (15 bins), and for sums of two the mean
and the worst of the points over the better part. In brackets what the protocol's prototype had on
folds of its own. Needs the shared data (IMREP_DATA); reads vectors and scores from the cache of
`imrep compare` (IMREP_CACHE) or puts them there.
"""

import argparse
import time
from itertools import combinations

import encoded_sets
import numpy as np
import torch
from encoded_sets import SETS, EncodedSet
from threadpoolctl import threadpool_limits

from imrep.comparison.conclusions.recommend import FREE_MS
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import Predictions, balanced_accuracy
from imrep.comparison.probes.combination import Combination, combine
from imrep.comparison.statistics.reliability import calibration_error
from imrep.comparison.statistics.verdict import p_flip

EXPECTED = {  # points over the leader: all, under a millisecond; sums: mean, worst
    "builtin": (2.1, 1.2, 1.4, -0.8),
    "dtd_a": (4.4, 0.6, 2.5, -1.1),
    "sign_digits": (2.2, -1.7, 0.4, -1.4),
    "caltech101_a": (9.2, 6.8, 4.9, 0.7),
    "eurosat": (4.4, 3.0, 3.2, -0.4),
    "cifar10": (7.8, 5.2, 3.2, -0.8),
}
SUMMED = ("histogram", "hog", "sift", "dct", "scattering", "filterbank")
MIN_GAIN, MIN_SUM, MIN_WORST_SUM = 3.0, 1.5, -2.0  # points: mean, mean, worst


class Judged:
    """A data set with the predictions of its representations."""

    def __init__(self, data: EncodedSet) -> None:
        self.data, self.dataset = data, data.dataset
        self.predicted = {
            each.spec: predictions.predict(each, data.dataset) for each in data.encoded
        }
        self.accuracies = {name: self.accuracy(each) for name, each in self.predicted.items()}
        self.leader = max(self.accuracies, key=self.accuracies.__getitem__)

    def accuracy(self, found: Predictions | Combination) -> float:
        """Balanced accuracy, in %."""
        labels = self.dataset.labels
        return 100 * balanced_accuracy(found.probe == labels, labels)

    def combined(self, names: tuple[str, ...], drop: bool = True) -> Combination:
        """Some of them put together."""
        dataset, parts = self.dataset, [self.predicted[name].folds for name in names]
        return combine(parts, dataset.labels, dataset.groups, dataset.folds, drop)

    def sums(self) -> list[float]:
        """Points of every sum of two over its better part."""
        gains = []
        for pair in combinations(SUMMED, 2):
            better = max(self.accuracies[name] for name in pair)
            gains.append(self.accuracy(self.combined(pair, drop=False)) - better)
        return gains


def measure(name: str) -> tuple[float, list[float]]:
    """Print the figures of one set; the points gained, and those of the sums."""
    judged = Judged(encoded_sets.read(name, SETS[name]))
    start = time.process_time()
    found = judged.combined(tuple(judged.predicted))
    seconds = time.process_time() - start
    cheap = tuple(each.spec for each in judged.data.encoded if each.cpu_ms < FREE_MS)
    best, labels = judged.accuracies[judged.leader], judged.dataset.labels
    gain = judged.accuracy(found) - best
    gain_cheap, sums = judged.accuracy(judged.combined(cheap)) - best, judged.sums()
    hits = [each == labels for each in (found.probe, judged.predicted[judged.leader].probe)]
    p = p_flip(*hits, labels, judged.dataset.groups, judged.dataset.seed)
    own = np.log(found.probabilities[np.arange(len(labels)), labels])
    expected = EXPECTED[name]
    print(
        f"{name:<13} {judged.leader:<11} {best:5.1f}  together {gain:+5.1f} ({expected[0]:+.1f}), "
        f"p {p:.2f}, {(found.weights > 0).sum(1).mean():.1f} parts; "
        f"{len(cheap)} cheap {gain_cheap:+5.1f} ({expected[1]:+.1f}); "
        f"NLL {-own.mean():.2f}, ECE {100 * calibration_error(found.probabilities, labels):.1f}; "
        f"sums {np.mean(sums):+.1f} / {min(sums):+.1f} ({expected[2]:+.1f} / {expected[3]:+.1f}); "
        f"{seconds:.2f} CPU s",
        flush=True,
    )
    return gain, sums


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sets", nargs="+", choices=EXPECTED, default=list(EXPECTED))
    names = options.parse_args().sets
    torch.set_num_threads(1)
    with threadpool_limits(1):
        measured = [measure(name) for name in names]
    gain = np.mean([gain for gain, _ in measured])
    sums = np.concatenate([sums for _, sums in measured])
    print(f"mean {gain:+.1f}; sums {sums.mean():+.1f}, worst {sums.min():+.1f} of {len(sums)}")
    if len(names) == len(EXPECTED):
        assert gain >= MIN_GAIN, gain
        assert sums.mean() >= MIN_SUM, sums.mean()
        assert sums.min() >= MIN_WORST_SUM, sums.min()


if __name__ == "__main__":
    main()
