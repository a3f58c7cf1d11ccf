"""The representation that imrep puts first beside the one that a full search would pick.

    python benchmarks/regret.py                      six sets, nineteen representations
    python benchmarks/regret.py --sets dtd_a -r hog -r dct   some of them; no figure is asserted
    python benchmarks/regret.py --out FILE           where measurements are kept

Each set is split in two. On the first part imrep judges all representations, and a search tries
every representation with each of three classifiers of scikit-learn, tuned inside the folds
(`tuned_classifiers.py`), and picks the best pair by cross-validation. Both are then fitted to the
first part and asked about the second, which neither has seen and which shares no group with it.

regret: accuracy of the search's pair minus that of imrep's leader with its own judge, in points.
same judge: the same, with imrep's judge on either representation.

Needs the shared data (IMREP_DATA).
"""

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

import encoded_sets
import numpy as np
import torch
from encoded_sets import REPRESENTATIONS, EncodedSet
from partial_results import PartialResults, Row, default
from threadpoolctl import threadpool_limits
from tuned_classifiers import CLASSIFIERS

from imrep.comparison.data.folds import Folds, split, stratified
from imrep.comparison.probes import classifier
from imrep.comparison.probes.classifier import balanced_accuracy, cross_validate
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.embedding import encode
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import fit
from imrep.estimators.targets import Targets

SETS = {  # images in all, fewer than a codebook is fitted on at once; images that are judged
    "caltech101_a": (None, 250),
    "cifar10": (990, 400),
    "dtd_a": (None, 200),
    "eurosat": (990, 400),
    "mnist": (None, 300),
    "sign_digits": (None, 200),
}
MAX_REGRET, MIN_SETS = 2.0, 5  # points; sets of the six


class Parts:
    """The two parts of a set, by row of its testable images.

    Attributes:
        judged: Images that everything is chosen and fitted on.
        fresh: Images that are asked in the end.
        folds: Partition of the former.
    """

    def __init__(self, data: EncodedSet, images: int, seed: int = 1) -> None:
        groups = data.dataset.groups
        self.labels, self.groups = data.dataset.labels, groups
        self.judged = stratified(self.labels, images, seed)
        self.fresh = np.flatnonzero(~np.isin(groups, groups[self.judged]))
        self.folds: Folds = split(self.labels[self.judged], groups[self.judged])


def measure(data: EncodedSet, parts: Parts, candidate: EncodedCandidate) -> Row:
    """Accuracies in %: cross-validated on the first part, then on the fresh images."""
    (part,) = candidate.parts
    rows, own = data.dataset.rows, parts.judged
    labels, groups = parts.labels[own], parts.groups[own]
    vectors = [
        np.asarray(encode.refit(part, rows[own[train]])[rows], np.float32)
        for train, _ in parts.folds
    ]
    views = [Kernels(each[own], candidate.spec) for each in vectors]
    found = cross_validate(views, labels, groups, parts.folds)
    row: Row = {"judge": 100 * found.accuracy(labels)}
    complete = np.asarray(encode.refit(part, rows[own])[rows], np.float32)
    truth = parts.labels[parts.fresh]
    row["fresh judge"] = 100 * balanced_accuracy(_judged(complete, parts) == truth, truth)
    for name, predict in CLASSIFIERS.items():
        answers = np.empty_like(labels)
        for each, (train, test) in zip(vectors, parts.folds, strict=True):
            z = each[own]
            answers[test] = predict(z[train], labels[train], groups[train], z[test])
        row[name] = 100 * balanced_accuracy(answers == labels, labels)
        answers = predict(complete[own], labels, groups, complete[parts.fresh])
        row[f"fresh {name}"] = 100 * balanced_accuracy(answers == truth, truth)
    return row


def _judged(vectors: np.ndarray, parts: Parts) -> np.ndarray:
    """Classes of the fresh images by the judge, fitted to the first part.

    Mean, scale and width are those of both parts: labels do not enter them.
    """
    own = parts.judged
    targets = Targets.of(parts.labels[own], parts.groups[own], int(parts.labels.max()) + 1)
    kernels = Kernels(vectors, "it")
    scores = classifier.fold_scores(kernels, fit(kernels, own, targets).best, own, parts.fresh)
    return classifier.predicted_class(scores.finish(targets).test)


def print_set(name: str, rows: Sequence[Row], parts: Parts) -> tuple[float, float]:
    """Print what both pick and how it fares; the regret with each one's own and the same judge."""
    leader = max(rows, key=lambda row: row["judge"])
    pairs = ((row, each) for row in rows for each in CLASSIFIERS)
    pick, best = max(pairs, key=lambda pair: pair[0][pair[1]])
    own = pick[f"fresh {best}"] - leader["fresh judge"]
    same = pick["fresh judge"] - leader["fresh judge"]
    print(f"\n{name}: {len(parts.judged)} images judged, {len(parts.fresh)} fresh")
    for who, row, by in (("imrep", leader, "judge"), ("search", pick, best)):
        print(
            f"  {who:<7}{row['spec']:<12} by {by:<9} cross-validated {row[by]:5.1f}, "
            f"fresh {row[f'fresh {by}']:5.1f} (judge {row['fresh judge']:.1f})"
        )
    print(f"  regret {own:+.1f}, same judge {same:+.1f}")
    return own, same


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    options.add_argument("-r", action="append", dest="specs")
    options.add_argument("--out", type=Path, default=default("regret"))
    arguments = options.parse_args()
    specs = tuple(arguments.specs or REPRESENTATIONS)
    results = PartialResults(arguments.out, "set", "spec")
    torch.set_num_threads(1)
    regrets = []
    with threadpool_limits(1):
        for name in arguments.sets:
            every, judged = SETS[name]
            data = encoded_sets.read(name, every, specs)
            parts = Parts(data, judged)
            rows = [
                results.get(functools.partial(measure, data, parts, each), set=name, spec=each.spec)
                for each in data.encoded
            ]
            regrets.append(print_set(name, rows, parts))
    own, same = np.transpose(regrets)
    for label, regret in (("regret", own), ("same judge", same)):
        few = (regret <= MAX_REGRET).sum()
        print(
            f"{label}: mean {regret.mean():+.2f}; at most {MAX_REGRET} on {few} of {len(own)} sets"
        )
    if len(regrets) == len(SETS) and specs == REPRESENTATIONS:
        assert (own <= MAX_REGRET).sum() >= MIN_SETS, own
        assert (same <= MAX_REGRET).sum() >= MIN_SETS, same


if __name__ == "__main__":
    main()
