"""imrep's out-of-fold probabilities beside those of scikit-learn, on the same vectors and folds.

    python benchmarks/probabilities.py               four sets, three representations of each
    python benchmarks/probabilities.py --sets dtd_a  some of them; no figure is asserted
    python benchmarks/probabilities.py --out FILE    where measurements are kept

Of every set the best, the second and the median of nineteen representations by imrep's judge. Each
classifier answers for images whose group it has not seen. Logistic regression and support vectors
count every class the same and are tuned inside the training images of each fold by complete groups
(`tuned_classifiers.py`): the regression by its log loss, the support vectors by their accuracy,
since they get probabilities only afterwards (`probability=True`). Prints balanced accuracy in %,
log loss in nats, expected calibration error in points (15 bins), the error that a perfect model
with the same probabilities would have by chance, confidence minus accuracy and processor seconds,
and asserts the figures that are asked. Needs the shared data (IMREP_DATA).
"""

import argparse
import functools
import time
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path

import encoded_sets
import numpy as np
import torch
from encoded_sets import SETS, EncodedSet
from partial_results import PartialResults, Row, default
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits
from tuned_classifiers import distances, group_parts, principal_axes, standardised

from imrep.comparison.probes import predictions
from imrep.comparison.probes.calibrated import calibrate
from imrep.comparison.probes.classifier import balanced_accuracy
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics import reliability

CASES = ("dtd_a", "sign_digits", "caltech101_a", "eurosat")
MAX_ERROR = 5.0  # points, mean over the twelve cases
Table = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def logistic(
    train: np.ndarray, classes: np.ndarray, groups: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Logistic regression; of its penalties the one of least log loss."""
    own, other = principal_axes(*standardised(train, test))

    def fit(rows: np.ndarray, cost: float) -> LogisticRegression:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=cost, class_weight="balanced", max_iter=500, tol=1e-3)
            return model.fit(own[rows], classes[rows])

    def loss(cost: float) -> float:
        total = 0.0
        for rows, ask in group_parts(classes, groups):
            table = fit(rows, cost).predict_proba(own[ask])
            total += reliability.log_loss(table, classes[ask]) * len(ask)
        return total

    best = min((1.0, 10.0, 100.0, 1000.0), key=loss)
    return fit(np.arange(len(classes)), best).predict_proba(other)


def svc(train: np.ndarray, classes: np.ndarray, groups: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Support vectors with a Gaussian kernel, tuned by accuracy; then Platt's probabilities."""
    own, other = standardised(train, test)
    among, across = (distances(part, own) / own.shape[1] for part in (own, other))

    def accuracy(setting: tuple[float, float]) -> float:
        gamma, cost = setting
        answers, kernel = np.empty_like(classes), np.exp(-gamma * among)
        for rows, ask in group_parts(classes, groups):
            machine = SVC(C=cost, kernel="precomputed", class_weight="balanced")
            machine.fit(kernel[np.ix_(rows, rows)], classes[rows])
            answers[ask] = machine.predict(kernel[np.ix_(ask, rows)])
        return balanced_accuracy(answers == classes, classes)

    gamma, cost = max(product((0.1, 0.3, 1, 3), (1, 10, 100)), key=accuracy)
    machine = SVC(
        C=cost, kernel="precomputed", class_weight="balanced", probability=True, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the parameter is about to go
        machine.fit(np.exp(-gamma * among), classes)
    return machine.predict_proba(np.exp(-gamma * across))


PEERS: dict[str, Table] = {"logistic": logistic, "svc": svc}


def chance(table: np.ndarray, draws: int = 200) -> float:
    """Mean calibration error where labels are drawn from the very probabilities."""
    rng, bounds = np.random.default_rng(0), table.astype(np.float64).cumsum(1)[:, :-1]
    labels = ((rng.random(len(table))[:, None] > bounds).sum(1) for _ in range(draws))
    return float(np.mean([reliability.calibration_error(table, own) for own in labels]))


def figures(table: np.ndarray, labels: np.ndarray, seconds: float) -> Row:
    """Accuracy, loss, calibration error and confidence of probabilities (n, C)."""
    right = table.argmax(1) == labels
    return {
        "accuracy": 100 * balanced_accuracy(right, labels),
        "nll": reliability.log_loss(table, labels),
        "ece": 100 * reliability.calibration_error(table, labels),
        "chance": 100 * chance(table),
        "bias": 100 * float(table.max(1).mean() - right.mean()),
        "cpu": round(seconds, 2),
    }


def measure(data: EncodedSet, candidate: EncodedCandidate) -> Row:
    """The figures of imrep and of both rivals on one representation."""
    dataset, labels = data.dataset, data.dataset.labels
    predicted = predictions.predict(candidate, dataset)
    start = time.process_time()
    calibrated = calibrate(predicted.folds, labels, dataset.groups)
    seconds = time.process_time() - start
    row: Row = {"imrep": figures(calibrated.probabilities, labels, seconds)}
    row["temperature"] = calibrated.temperature
    folds = list(data.folds(candidate))
    for name, predict in PEERS.items():
        start, table = time.process_time(), np.empty((len(labels), labels.max() + 1))
        for vectors, train, test in folds:
            classes, groups = labels[train], dataset.groups[train]
            assert (np.unique(classes) == np.arange(table.shape[1])).all()
            table[test] = predict(vectors[train], classes, groups, vectors[test])
        row[name] = figures(table, labels, time.process_time() - start)
    return row


def cases(data: EncodedSet) -> list[EncodedCandidate]:
    """The best, the second and the median representation."""
    labels = data.dataset.labels
    accuracies = [predictions.predict(each, data.dataset).accuracy(labels) for each in data.encoded]
    order = np.argsort(-np.array(accuracies), kind="stable").tolist()
    return [data.encoded[order[i]] for i in (0, 1, len(order) // 2)]


def summarise(rows: list[Row]) -> tuple[float, dict[str, float]]:
    """Print the means; the calibration error, and the loss of each classifier."""
    print(
        f"\n{'mean (worst)':<26}{'accuracy':>9}{'nll':>8}{'ece':>14}"
        f"{'chance':>8}{'bias':>7}{'cpu':>8}"
    )
    losses = {}
    for name in ("imrep", *PEERS):
        own = {key: np.array([row[name][key] for row in rows]) for key in rows[0][name]}
        mean = {key: float(values.mean()) for key, values in own.items()}
        losses[name] = mean["nll"]
        print(
            f"{name:<26}{mean['accuracy']:9.1f}{mean['nll']:8.3f}"
            f"{mean['ece']:7.1f} ({own['ece'].max():4.1f})"
            f"{mean['chance']:8.1f}{mean['bias']:+7.1f}{mean['cpu']:8.2f}"
        )
    return float(np.mean([row["imrep"]["ece"] for row in rows])), losses


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sets", nargs="+", choices=CASES, default=list(CASES))
    options.add_argument("--out", type=Path, default=default("probabilities"))
    arguments = options.parse_args()
    results = PartialResults(arguments.out, "set", "spec")
    torch.set_num_threads(1)
    rows = []
    with threadpool_limits(1):
        for name in arguments.sets:
            data = encoded_sets.read(name, SETS[name])
            for each in cases(data):
                work = functools.partial(measure, data, each)
                rows.append(results.get(work, set=name, spec=each.spec))
                own = rows[-1]
                cells = "  ".join(
                    f"{peer} {own[peer]['nll']:.3f} {own[peer]['ece']:4.1f}"
                    for peer in ("imrep", *PEERS)
                )
                print(f"{name:<13}{each.spec:<13}{cells}  T {own['temperature']:.2f}", flush=True)
    error, losses = summarise(rows)
    if len(arguments.sets) == len(CASES):
        assert losses["imrep"] < min(losses[name] for name in PEERS), losses
        assert error <= MAX_ERROR, error


if __name__ == "__main__":
    main()
