"""The copy of a store's vectors is of one version; it takes the place of an older one."""

import numpy as np
import pytest
from clustered_store import ClusteredStore

from imrep.embedding import cache
from imrep.retrieval import vector_copy

pytest.importorskip("lance", reason="needs the extra store")


@pytest.fixture
def clustered(monkeypatch, tmp_path):
    """A store that has an index from 2,000 rows on."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(vector_copy, "MIN_INDEXED", 2000)
    return ClusteredStore(tmp_path / "s.lance")


def test_an_index_older_than_the_data_is_not_used(clustered):
    copy = vector_copy.of_store(clustered.append(2400))
    assert copy.index is not None and copy.index.recall >= 0.95
    store = clustered.append(300)
    copy = vector_copy.of_store(store)
    vectors = store.vectors()
    for row in (0, 2399, 2400, 2699):
        query = vectors[row] / np.linalg.norm(vectors[row])
        for exact in (True, False):
            rows, scores = copy.nearest(query, 3, exact=exact)
            assert rows[0] == row and scores[0] == pytest.approx(1, abs=1e-6)


def test_the_copy_of_an_older_version_is_deleted(clustered, monkeypatch):
    vector_copy.of_store(clustered.append(50))
    (first,) = (cache.root() / "stores").iterdir()
    # As by another process, which no longer uses the copy.
    monkeypatch.setattr("imrep.embedding.cache.leases.users", lambda _: {})
    vector_copy.of_store(clustered.append(10))
    (second,) = (cache.root() / "stores").iterdir()
    assert second != first and (second / "copy.npz").is_file()
