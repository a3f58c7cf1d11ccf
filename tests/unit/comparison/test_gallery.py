import numpy as np
import pytest

from imrep.comparison.output import gallery


@pytest.fixture
def codes():
    return np.random.default_rng(0).standard_normal((12, 6)).astype(np.float32)


def test_an_image_is_never_its_own_neighbour(codes):
    nearest = gallery.nearest(gallery.cosines(codes))
    assert nearest.shape == (12, 5)
    assert not (nearest == np.arange(12)[:, None]).any()


def test_neighbours_come_in_order_of_likeness(codes):
    alike = gallery.cosines(codes)
    nearest = gallery.nearest(alike)
    chosen = np.take_along_axis(alike, nearest, 1)
    assert (np.diff(chosen, axis=1) <= 0).all()


def test_of_equal_neighbours_the_earlier_is_named():
    codes = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    similarity = gallery.cosines(codes)
    np.fill_diagonal(similarity, -np.inf)
    expected = np.argsort(-similarity, axis=1, kind="stable")[:, :5]
    assert np.array_equal(gallery.nearest(similarity), expected)


def test_many_candidates_have_fewer_thumbnails():
    assert gallery._count(4) == gallery._count(0) == 2_000
    assert 600 < gallery._count(40) < 2_000
    assert gallery._count(500) == 600


def test_few_images_have_few_neighbours():
    assert gallery.nearest(gallery.cosines(np.eye(3, dtype=np.float32))).shape == (3, 2)


def test_the_plane_keeps_distances_of_codes_that_lie_in_one():
    angles = np.linspace(0, 6, 9)
    unit = np.stack([np.cos(angles), np.sin(angles), np.zeros(9)], 1)
    spots, shares = gallery.principal_plane(unit @ unit.T)
    apart = np.linalg.norm(spots[:, None] - spots, axis=2)
    assert apart == pytest.approx(np.linalg.norm(unit[:, None] - unit, axis=2), abs=1e-6)
    assert sum(shares) == pytest.approx(1)


def test_the_planes_shares_are_those_of_the_covariance():
    codes = np.random.default_rng(0).normal(size=(40, 6)) * [4, 3, 1, 1, 1, 1]
    unit = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(np.cov(unit.T))[::-1]
    assert gallery.principal_plane(unit @ unit.T).shares == pytest.approx(
        tuple(values[:2] / values.sum()), rel=1e-6
    )
    assert gallery.principal_plane(np.ones((3, 3))).shares == pytest.approx((0, 0))


def test_queries_are_of_three_classes():
    labels = np.repeat([0, 1, 2, 3], 10)
    chosen = gallery.queries(labels, 0)
    assert len(set(labels[chosen].tolist())) == 3
    assert chosen == gallery.queries(labels, 0)


def test_queries_of_one_class_are_three_images():
    assert len(set(gallery.queries(np.zeros(9, int), 0))) == 3


def test_confusions_count_every_image():
    truth, answer = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    assert gallery.confusion(truth, answer, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_thumbnails_of_a_constant_image_stay_constant():
    squares = np.full((2, 70, 70, 3), 90, np.uint8)
    assert (gallery.shrink(squares) == 90).all()
    assert gallery.shrink(squares[:0]).shape == (0, 48, 48, 3)
