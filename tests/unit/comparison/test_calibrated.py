"""Out-of-fold probabilities: each fold by its own training part, and calibrated."""

import numpy as np
import pytest

from imrep.comparison.data import folds
from imrep.comparison.probes.calibrated import calibrate, factor
from imrep.comparison.probes.combination import combine
from imrep.comparison.probes.scores import FoldScores
from imrep.comparison.statistics import reliability
from imrep.estimators.discriminant import Finished

N, COUNT = 400, 4
LABELS, GROUPS = np.arange(N) % COUNT, np.arange(N)
FOLDS = folds.split(LABELS, GROUPS)


def scores(signal=1.0, scale=1.0, seed=0):
    """Scores in every fold: normal, plus a signal for the true class."""
    table = np.random.default_rng(seed).normal(size=(N, COUNT))
    table[np.arange(N), LABELS] += signal
    table = (scale * table).astype(np.float32)
    return tuple(FoldScores(train, table[train], test, table[test]) for train, test in FOLDS)


def calibrated(parts, **more):
    return calibrate(parts, LABELS, GROUPS, **more)


def test_the_scale_of_the_scores_is_taken_out():
    first, second = calibrated(scores()), calibrated(scores(scale=0.2))
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=2e-3)

    first = scores()[0]
    targets = first.targets(LABELS, GROUPS)
    raw = Finished(first.left_out, first.scores, None)
    small = raw._replace(left_out=raw.left_out / 5)
    first, second = (factor(each, targets, weighted=False) for each in (raw, small))
    assert second == pytest.approx(5 * first, rel=0.01)


def test_confidence_is_accuracy():
    """Of normal scores around a signal the posterior is a softmax: nothing is left to correct."""
    table, temperature = calibrated(scores(1.5))
    assert temperature is not None
    assert reliability.calibration_error(table, LABELS) < 0.05
    np.testing.assert_allclose(table.sum(1), 1, rtol=1e-5)


def test_the_largest_is_the_class_that_the_fold_names():
    parts = scores()
    table = calibrated(parts).probabilities
    for part in parts:
        logits = part.finish(part.targets(LABELS, GROUPS)).test
        np.testing.assert_array_equal(table[part.test].argmax(1), logits.argmax(1))


def test_an_image_has_no_part_in_its_own_fold():
    parts, changed = scores(), LABELS.copy()
    test = parts[0].test
    changed[test] = (changed[test] + 1) % COUNT
    before = calibrated(parts).probabilities
    after = calibrate(parts, changed, GROUPS).probabilities
    np.testing.assert_array_equal(before[test], after[test])


def test_where_vectors_were_constant_every_class_is_equally_likely():
    table, temperature = calibrated(())
    assert (table == 1 / COUNT).all() and temperature is None
    table, temperature = calibrated(scores()[1:])
    assert (table[scores()[0].test] == 1 / COUNT).all() and temperature is not None


def test_weights_that_were_fitted_need_no_temperature():
    made = combine([scores(), scores(seed=1)], LABELS, GROUPS, FOLDS, drop=False)
    again = calibrated(made.folds, weighted=True)
    np.testing.assert_array_equal(again.probabilities, made.probabilities)
    assert again.temperature == made.temperature == 1
