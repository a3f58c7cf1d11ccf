"""Files of vectors open with the libraries that people have, and say what made them."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from safetensors import safe_open

from imrep.errors import BadParameter
from imrep.io import vectors
from imrep.io.vectors import Table

VECTORS = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
PATHS = ["a/ä.png", "a/b c.png", "b/,\"'.jpg", "x", "日本.png", "y", "z"]
LABELS = ["a", "a", "b", None, None, "c", ""]
FACTS = {"spec": "hog:cell=4", "fingerprint": "abc", "size": "64"}


def table(cuts=(3, 3)):
    pieces = np.split(VECTORS, np.cumsum(cuts))
    return Table(iter(pieces), 7, 5, {"path": PATHS, "label": LABELS}, FACTS)


def test_parquet_has_columns_and_lists_of_fixed_size(tmp_path):
    vectors.write(tmp_path / "v.parquet", table())
    found = parquet.read_table(tmp_path / "v.parquet")
    assert found.column_names == ["path", "label", "vector"]
    assert found["path"].to_pylist() == PATHS
    assert found["label"].to_pylist() == LABELS
    assert found.schema.field("vector").type == pa.list_(pa.float32(), 5)
    np.testing.assert_array_equal(np.array(found["vector"].to_pylist(), np.float32), VECTORS)
    assert found.schema.metadata[b"imrep.spec"] == b"hog:cell=4"
    assert found.schema.metadata[b"imrep.size"] == b"64"


def test_npz_opens_without_pickles(tmp_path):
    vectors.write(tmp_path / "v.npz", table())
    with np.load(tmp_path / "v.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["vectors"], VECTORS)
        assert found["paths"].tolist() == PATHS
        assert found["labels"].tolist() == [label or "" for label in LABELS]
        assert {key: str(found[key]) for key in FACTS} == FACTS


def test_safetensors_tells_the_rest_in_its_metadata(tmp_path):
    vectors.write(tmp_path / "v.safetensors", table())
    with safe_open(tmp_path / "v.safetensors", "np") as found:
        np.testing.assert_array_equal(found.get_tensor("vectors"), VECTORS)
        said = found.metadata()
    assert json.loads(said["paths"]) == PATHS
    assert json.loads(said["labels"]) == LABELS
    assert {key: said[key] for key in FACTS} == FACTS


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_the_bytes_do_not_depend_on_the_pieces(tmp_path, suffix):
    one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    vectors.write(one, table((7,)))
    vectors.write(two, table((1, 1, 4)))
    assert one.read_bytes() == two.read_bytes()


def test_other_formats_are_refused_with_one_that_works():
    assert vectors.suffix(Path("a/v.npz")) == ".npz"
    with pytest.raises(BadParameter, match=r"got 'v\.csv'\. Try v\.parquet\."):
        vectors.suffix(Path("a/v.csv"))
