"""Positions of vectors on a plane: groups stay together, and the same seed gives the same map."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.errors import BadData, BadParameter, ExtraNeeded
from imrep.projection import layout as module
from imrep.projection.layout import layout, require, unit_length

EXTRA = "needs the extra map: pip install 'imrep[map]'"


def groups(count=120, length=30, seed=0):
    """Vectors around three directions, and the number of the direction of each."""
    rng = np.random.default_rng(seed)
    which = np.arange(count) % 3
    vectors = 3 * rng.normal(size=(3, length))[which] + rng.normal(size=(count, length))
    return vectors.astype(np.float32), which


def own_group(positions, which):
    """Share of images whose nearest on the map is of their group."""
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    np.fill_diagonal(distances, np.inf)
    return (which[distances.argmin(1)] == which).mean()


def test_principal_components_are_those_of_the_unit_vectors():
    vectors, which = groups()
    placed = layout(vectors, "pca")
    centred = unit_length(vectors) - unit_length(vectors).mean(0)
    variances = np.linalg.svd(centred, compute_uv=False)[:2] ** 2
    assert np.allclose((placed.positions**2).sum(0), variances, rtol=1e-4)
    assert own_group(placed.positions, which) > 0.95


def test_pacmap_keeps_groups_together_and_repeats_itself():
    pytest.importorskip("pacmap", reason=EXTRA)
    vectors, which = groups()
    state = np.random.get_state()[1].copy()
    first, second = layout(vectors, seed=3), layout(vectors, seed=3)
    assert first.method == "pacmap" and first.positions.shape == (120, 2)
    assert np.array_equal(first.positions, second.positions)
    assert own_group(first.positions, which) > 0.95
    assert np.array_equal(np.random.get_state()[1], state)  # the user's random numbers go on


def test_pacmap_reports_its_iterations_and_prints_nothing(capfd):
    pytest.importorskip("pacmap", reason=EXTRA)
    calls = []
    layout(groups(60, 300)[0], progress=lambda *call: calls.append(call))
    assert ("principal components of 60 vectors of 300 numbers", 0, 0) in calls
    assert [done for what, done, _ in calls if what == "PaCMAP"] == [*range(10, 451, 10)]
    assert capfd.readouterr() == ("", "")
    layout(groups(20)[0], progress=print)
    assert "PaCMAP 450 450\n" in capfd.readouterr().out


def test_scale_of_a_vector_does_not_matter():
    vectors, _ = groups()
    scales = np.geomspace(1e-20, 1e25, len(vectors), dtype=np.float32)[:, None]
    near = np.abs(layout(vectors * scales, "pca").positions) - np.abs(
        layout(vectors, "pca").positions
    )
    assert np.abs(near).max() < 1e-4


@pytest.mark.parametrize("count", [2, 3, 9])
def test_few_images_are_laid_out_by_their_components_and_it_is_said(count):
    pytest.importorskip("pacmap", reason=EXTRA)
    placed = layout(groups(count)[0])
    assert placed.method == "pca" and f"at least 10 images, got {count}" in placed.notes[0]


@pytest.mark.parametrize("count", [10, 11, 14, 25])
def test_from_ten_images_on_pacmap_works(count):
    pytest.importorskip("pacmap", reason=EXTRA)
    placed = layout(groups(count)[0])
    assert placed.method == "pacmap" and np.isfinite(placed.positions).all()


def test_copies_and_single_numbers_have_positions():
    pytest.importorskip("pacmap", reason=EXTRA)
    copies = np.repeat(groups(4)[0], 30, axis=0)
    assert np.isfinite(layout(copies).positions).all()
    signs = np.array([[1.0], [-2.0]] * 10, np.float32)
    assert np.isfinite(layout(signs).positions).all()
    assert layout(signs, "pca").positions.shape == (20, 2)


@pytest.mark.parametrize("count", [0, 1])
def test_a_map_needs_two_vectors(count):
    with pytest.raises(BadData, match=f"at least two vectors, got {count}"):
        layout(np.ones((count, 3), np.float32), "pca")


def test_vectors_of_one_direction_are_refused():
    with pytest.raises(BadData, match="needs vectors that differ, got 12 of the same direction"):
        layout(np.ones((12, 4), np.float32), "pca")
    with pytest.raises(BadData, match="differ"):
        layout(np.zeros((12, 4), np.float32), "pca")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExtraNeeded, match=r"pip install 'imrep\[map\]', or use --method pca"):
        require("pacmap")
    with pytest.raises(ExtraNeeded, match="pip install umap-learn"):
        require("umap")
    with pytest.raises(BadParameter, match="pacmap, umap, pca, got 'tsne'"):
        require("tsne")


def test_umap_is_taken_where_it_is_installed(monkeypatch):
    """A stand-in of its interface: umap-learn is no dependency."""
    options = {}

    class UMAP:
        def __init__(self, **chosen):
            options.update(chosen)

        def fit_transform(self, vectors):
            return vectors[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=UMAP))
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: name)
    placed = layout(groups(20)[0], "umap", seed=5)
    assert placed.method == "umap" and placed.positions.shape == (20, 2)
    assert options == {"n_components": 2, "random_state": 5, "n_jobs": 1}


def test_positions_that_are_not_finite_are_refused(monkeypatch):
    broken = lambda reduced, *_: np.full((len(reduced), 2), np.nan)  # noqa: E731
    monkeypatch.setitem(module._LAYOUTS, "pca", broken)
    with pytest.raises(BadData, match="not finite"):
        layout(groups(12)[0], "pca")
