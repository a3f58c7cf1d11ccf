"""Vectors of a candidate: views of a sum side by side, costs added up."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.probes.encoded_candidate import EncodedCandidate, side_by_side


def part(dim, *, raw=None, fitted=False, folds=(), seed=0, side=64):
    vectors = np.random.default_rng(seed).standard_normal((6, dim)).astype(np.float32)
    return SimpleNamespace(
        vectors=vectors,
        raw=raw,
        folds=folds,
        budget="",
        fitted=fitted,
        side=side,
        cpu_ms=1.5,
        wall_ms=2.0,
        fit_seconds=3.0,
    )


def made(*parts, precomputed=False):
    return EncodedCandidate(SimpleNamespace(spec="a+b", precomputed=precomputed), parts)


@given(st.integers(1, 4), st.floats(0.01, 100))
def test_views_of_a_sum_weigh_the_same_whatever_their_scale(count, scale):
    views = [part(d + 1, seed=d).vectors for d in range(count)]
    joined = side_by_side(views)
    if count == 1:
        assert joined is views[0]
        return
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), np.sqrt(count), rtol=1e-5)
    scaled = side_by_side([np.float32(scale) * view for view in views])
    np.testing.assert_allclose(scaled, joined, rtol=0, atol=1e-5)


def test_a_view_of_zeros_stays_zero():
    joined = side_by_side([np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32)])
    assert np.isfinite(joined).all() and not joined[:, :2].any()


def test_costs_and_lengths_add_up():
    both = made(part(3, side=64), part(5, seed=1, side=224))
    assert (both.dimensions, both.bytes, both.images, both.side) == (8, 32, 6, 224)
    assert (both.cpu_ms, both.wall_ms, both.fit_seconds) == (3, 4, 6)
    assert both.vectors(np.array([4, 1])).shape == (2, 8)


def test_the_parts_of_a_sum_are_candidates_of_their_own():
    views = [part(3), part(5, seed=1)]
    for view, spec in zip(views, ("hog", "dct"), strict=True):
        view.rep = SimpleNamespace(spec=spec, fingerprint=spec)
    both = made(*views)
    assert [(each.spec, each.parts) for each in both.singles] == [
        ("hog", (views[0],)),
        ("dct", (views[1],)),
    ]
    alone = made(part(3))
    assert alone.singles == (alone,)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([part(2)], ""),
        ([part(2), part(2, fitted=True)], "all"),
        ([part(2, raw=object()), part(2, fitted=True)], "fold"),
        ([part(2, folds=("a", "b"), fitted=True)], "fold"),
    ],
)
def test_what_it_was_fitted_on(parts, expected):
    assert made(*parts).fitted_on == expected


def test_inner_products_of_the_same_rows_are_computed_once():
    one = made(part(4))
    rows = np.array([0, 2, 3])
    assert one.gram(rows) is one.gram(rows.copy())
    assert one.gram(rows) is not one.gram(np.array([0, 2]))


def test_a_sum_with_vectors_made_elsewhere_is_made_outside_at_an_unknown_cost():
    outside, fitted = part(3), part(4, raw="folder", fitted=True)
    outside.cpu_ms = np.inf
    both = made(outside, fitted, precomputed=True)
    assert (both.fitted_on, both.cpu_ms) == ("outside", np.inf)
