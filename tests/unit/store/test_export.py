"""A store as one file of vectors: the same as a run of embed would have written."""

import numpy as np
import pytest
from pyarrow import parquet

from imrep import store
from imrep.errors import BadData, BadParameter
from imrep.store.export import export

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".safetensors"])
def test_paths_labels_vectors_and_facts_are_exported(path, tmp_path, suffix):
    opened, out = store.open(path), tmp_path / f"v{suffix}"
    assert export(opened, out) == 3
    if suffix == ".parquet":
        table = parquet.read_table(out)
        assert table["path"].to_pylist() == ["a/1", "a/2", "b/3"]
        assert table["vector"].to_pylist() == opened.vectors().tolist()
        assert table.schema.metadata[b"imrep.spec"] == b"hog"
    elif suffix == ".npz":
        with np.load(out) as arrays:
            np.testing.assert_array_equal(arrays["vectors"], opened.vectors())
            assert arrays["labels"].tolist() == ["a", "a", "b"] and str(arrays["size"]) == "64"
    else:
        from safetensors.numpy import load_file

        np.testing.assert_array_equal(load_file(out)["vectors"], opened.vectors())


def test_a_condition_selects_rows(path, tmp_path):
    assert export(store.open(path), tmp_path / "v.npz", "label = 'b'") == 1
    with np.load(tmp_path / "v.npz") as arrays:
        assert arrays["paths"].tolist() == ["b/3"]


def test_nothing_is_written_where_nothing_can_be(path, tmp_path):
    with pytest.raises(BadData, match="needs rows with label = 'z' to export, got none"):
        export(store.open(path), tmp_path / "v.npz", "label = 'z'")
    with pytest.raises(BadParameter, match=r"got 'v\.csv'"):
        export(store.open(path), tmp_path / "v.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["s.lance"]
