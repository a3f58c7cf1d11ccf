"""The neighbours' vote against a loop."""

import numpy as np

from imrep.comparison.probes.nearest import neighbour_votes


def test_neighbours_equal_a_loop():
    rng = np.random.default_rng(0)
    cosines, classes = rng.uniform(-1, 1, (7, 50)).round(5), rng.integers(0, 4, 50)
    expected = np.zeros((7, 4))
    for q in range(7):
        for i in np.argsort(-cosines[q])[:20]:
            expected[q, classes[i]] += np.exp(cosines[q, i] / 0.07)
    np.testing.assert_allclose(
        neighbour_votes(cosines, classes, 4), expected / np.bincount(classes), rtol=1e-10
    )


def test_few_images_have_half_as_many_neighbours():
    votes = neighbour_votes(np.array([[0.9, 0.8, 0.1, 0.0]]), np.array([0, 0, 1, 1]), 3)
    assert votes[0, 0] > 0
    assert votes[0, 1] == votes[0, 2] == 0


def test_images_as_near_as_the_last_share_its_votes():
    """Else equal vectors would vote in the order of the files."""
    cosines, classes = np.full((1, 60), 0.5), np.repeat([0, 1, 2], 20)
    votes = neighbour_votes(cosines, classes, 3)
    np.testing.assert_allclose(votes, np.exp(0.5 / 0.07) / 3)
    order = np.random.default_rng(0).permutation(60)
    np.testing.assert_allclose(neighbour_votes(cosines[:, order], classes[order], 3), votes)
