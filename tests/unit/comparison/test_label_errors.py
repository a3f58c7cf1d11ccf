"""The list of suspected labels and the estimate, from given probabilities."""

import numpy as np
import pytest

from imrep.comparison.statistics.label_errors import label_errors

N, DRAWS, K = 400, 5, 12


def draws(rng, given, wrong):
    """Probabilities of five draws in which twelve right labels are changed."""
    right = np.setdiff1d(np.arange(N), wrong)
    images = np.stack([rng.choice(right, K, replace=False) for _ in range(DRAWS)])
    changed = np.tile(given, (DRAWS, 1))
    np.put_along_axis(changed, images, rng.uniform(0, 0.3, images.shape), axis=1)
    return changed, images


def folder(wrong=0, seed=0):
    """Right labels above .4, wrong ones as improbable as changed ones."""
    rng = np.random.default_rng(seed)
    given = rng.uniform(0.4, 1, N)
    rows = rng.choice(N, wrong, replace=False)
    given[rows] = 0.3 * (np.arange(wrong) + 0.5) / max(wrong, 1)
    return given, rows, *draws(rng, given, rows)


@pytest.mark.parametrize("wrong", [0, 12, 24])
def test_random_mistakes_are_counted_and_half_of_them_are_listed(wrong):
    given, rows, changed, images = folder(wrong)
    errors = label_errors(given, changed, images, np.ones(N, bool), np.arange(N))
    assert abs(errors.wrong - wrong) <= 0.3 * wrong
    assert np.isin(errors.images, rows).all()
    assert abs(len(errors.images) - wrong / 2) <= 0.2 * wrong
    assert errors.right <= 2
    assert errors.recall == 1
    assert (np.diff(given[errors.images]) >= 0).all()


def test_hard_pictures_are_listed_and_expected_to_be_right():
    given, _, changed, images = folder()
    given[:8] = 0.05 + 0.01 * np.arange(8)
    errors = label_errors(given, changed, images, np.ones(N, bool), np.arange(N))
    assert errors.images.tolist() == list(range(8))
    given[:8] = 0.1499  # none below most of the thresholds
    errors = label_errors(given, changed, images, np.ones(N, bool), np.arange(N))
    assert errors.wrong <= 4 and errors.right == round(
        max(0, len(errors.images) - errors.wrong / 2)
    )


def test_ties_follow_the_order_and_images_not_counted_are_left_out():
    given, _, changed, images = folder()
    given[[3, 5, 9]], counted = 0.01, np.ones(N, bool)
    counted[5] = False
    order = np.arange(N)[::-1]
    errors = label_errors(given, changed, images, counted, order)
    assert errors.images.tolist() == [9, 3]
    assert np.all(given[errors.images] <= errors.threshold)


def test_changed_labels_that_look_right_are_not_recalled():
    rng = np.random.default_rng(0)
    given = rng.uniform(0.4, 1, N)
    images = np.stack([rng.choice(N, K, replace=False) for _ in range(DRAWS)])
    changed = np.tile(given, (DRAWS, 1))
    np.put_along_axis(changed, images, 2.0, axis=1)
    assert label_errors(given, changed, images, np.ones(N, bool), np.arange(N)).recall == 0
