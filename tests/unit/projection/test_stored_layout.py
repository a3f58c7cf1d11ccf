"""Layouts in the cache: the same vectors are laid out once, others and other seeds anew."""

import numpy as np
import pytest

from imrep.projection import stored_layout


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """The calls of `layout`, with a cache of their own."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    calls, layout = [], stored_layout.layout

    def counted(*arguments, **more):
        calls.append(arguments)
        return layout(*arguments, **more)

    monkeypatch.setattr(stored_layout, "layout", counted)
    return calls


def test_the_second_time_it_is_read_back(calls):
    vectors = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    first, measured = stored_layout.laid_out(vectors, "pca")
    second, again = stored_layout.laid_out(vectors.copy(), "pca")
    assert len(calls) == 1 and measured == again
    assert np.array_equal(first.positions, second.positions) and first.method == second.method
    stored_layout.laid_out(vectors, "pca", seed=1)
    stored_layout.laid_out(vectors + 1, "pca")
    assert len(calls) == 3


def test_notes_and_an_undefined_measure_come_back(calls):
    pytest.importorskip("pacmap", reason="needs the extra map: pip install 'imrep[map]'")
    vectors = np.eye(4, dtype=np.float32)
    first, measured = stored_layout.laid_out(vectors, "pacmap")
    again = stored_layout.laid_out(vectors, "pacmap")
    assert again[0].notes == first.notes != () and again[1] == measured
    assert again[1].trustworthiness is None and len(calls) == 1


def test_an_interrupt_while_it_is_measured_loses_no_layout(calls, monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stored_layout.faithfulness, "measure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stored_layout.laid_out(vectors, "pca")
    placed, _ = stored_layout.laid_out(vectors, "pca")
    assert len(calls) == 1 and placed.positions.shape == (30, 2)
