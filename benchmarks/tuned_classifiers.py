"""scikit-learn's classifiers as a careful user would tune them: inside the training images.

Each takes training vectors, their classes and groups, and test vectors; it searches its grid by
three-fold cross-validation over complete groups with the balanced accuracy, fits the best on all
training images, and names the classes of the test images. Features are standardised by the
training images, and every class counts the same.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import product

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import SVC

_TREES, _SEARCHED_TREES = 200, 25
Predict = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def svc(train: np.ndarray, classes: np.ndarray, groups: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Support vectors with a Gaussian kernel: width and cost are tuned."""
    own, other = standardised(train, test)
    among, across = distances(own, own), distances(other, own)
    among /= own.shape[1]
    across /= own.shape[1]

    def predict(fit: np.ndarray, ask: np.ndarray | None, gamma: float, cost: float) -> np.ndarray:
        kernel = np.exp(-gamma * among[np.ix_(fit, fit)])
        asked = across[:, fit] if ask is None else among[np.ix_(ask, fit)]
        machine = SVC(C=cost, kernel="precomputed", class_weight="balanced")
        return machine.fit(kernel, classes[fit]).predict(np.exp(-gamma * asked))

    return _search(predict, product((0.1, 0.3, 1, 3), (1, 10, 100)), classes, groups)


def logistic(
    train: np.ndarray, classes: np.ndarray, groups: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Logistic regression with a quadratic penalty: its weight is tuned."""
    own, other = principal_axes(*standardised(train, test))

    def predict(fit: np.ndarray, ask: np.ndarray | None, cost: float) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=cost, class_weight="balanced", max_iter=200, tol=1e-3)
            model.fit(own[fit], classes[fit])
        return model.predict(other if ask is None else own[ask])

    return _search(predict, [(cost,) for cost in (0.1, 1, 10, 100)], classes, groups)


def trees(
    train: np.ndarray, classes: np.ndarray, groups: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Extremely randomised trees: the size of their leaves is tuned."""

    def predict(fit: np.ndarray, ask: np.ndarray | None, leaf: int) -> np.ndarray:
        model = ExtraTreesClassifier(
            _TREES if ask is None else _SEARCHED_TREES,
            min_samples_leaf=leaf,
            class_weight="balanced",
            random_state=0,
        )
        return model.fit(train[fit], classes[fit]).predict(test if ask is None else train[ask])

    return _search(predict, [(1,), (3,)], classes, groups)


CLASSIFIERS: dict[str, Predict] = {"svc": svc, "logistic": logistic, "trees": trees}


def _search(
    predict: Callable[..., np.ndarray],
    grid: Iterable[tuple[float, ...]],
    classes: np.ndarray,
    groups: np.ndarray,
) -> np.ndarray:
    """Classes of the test images by the best of the grid, the first of equals."""
    best, score = (), -1.0
    parts = list(group_parts(classes, groups))
    for setting in grid:
        answers = np.empty_like(classes)
        for fit, ask in parts:
            answers[ask] = predict(fit, ask, *setting)
        new = balanced_accuracy_score(classes, answers)
        if new > score:
            best, score = setting, new
    return predict(np.arange(len(classes)), None, *best)


def group_parts(classes: np.ndarray, groups: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Three folds of complete groups: images to fit, and images to ask about."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        yield from StratifiedGroupKFold(3, shuffle=True, random_state=0).split(
            classes, classes, groups
        )


def standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features of mean 0 and deviation 1 in the training images; constant ones are left out."""
    mean, spread = train.mean(0, dtype=np.float64), train.std(0, dtype=np.float64)
    used = spread > 1e-6 * max(spread.max(), 1e-12)
    return tuple((part[:, used] - mean[used]) / spread[used] for part in (train, test))


def principal_axes(own: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along the training vectors' own axes, divided by the root of their length.

    A quadratic penalty does not feel the rotation.
    """
    values, axes = np.linalg.eigh(own @ own.T / own.shape[1])
    used = values > 1e-6 * values[-1]
    root = np.sqrt(values[used])
    return axes[:, used] * root, other @ own.T @ axes[:, used] / root / own.shape[1]


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Squared distances between rows."""
    lengths = (first**2).sum(1)[:, None] + (second**2).sum(1)
    return np.maximum(lengths - 2 * first @ second.T, 0)
