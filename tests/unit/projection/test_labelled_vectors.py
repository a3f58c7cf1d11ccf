"""Vectors with paths, labels and origin, from each format that `imrep embed` writes and others."""

from pathlib import Path

import numpy as np
import pytest
from commands import run
from PIL import Image

from imrep.errors import BadData, BadParameter
from imrep.io import vectors as vector_files
from imrep.projection.labelled_vectors import read

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)
PATHS = ("a/1.png", "a/2.png", "b/1.png", "b/2.png")
LABELS = ("a", "a", "b", None)


@pytest.fixture(params=[".parquet", ".npz", ".safetensors"])
def file(request, tmp_path):
    path = tmp_path / f"v{request.param}"
    columns = {"path": PATHS, "label": LABELS}
    facts = {"spec": "hog", "fingerprint": "12ab", "size": "64", "imrep": "0"}
    vector_files.write(path, vector_files.Table([VECTORS], 4, 3, columns, facts))
    return path


def test_a_file_of_imreps_has_everything(file):
    source = read(str(file))
    assert np.array_equal(source.vectors, VECTORS) and source.paths == PATHS
    assert source.labels == LABELS and source.file == file
    assert source.facts == {"spec": "hog", "fingerprint": "12ab", "size": "64", "imrep": "0"}


def test_a_csv_has_labels_too(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("path,class,x,y\na.png,cat,1,2\nb.png,,3,4\n")
    source = read(path)
    assert source.labels == ("cat", None) and source.paths == ("a.png", "b.png")
    assert source.vectors.tolist() == [[1, 2], [3, 4]] and source.facts == {}


def test_arrays_and_mappings_have_no_labels_of_their_own(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS)
    for source in (read(VECTORS), read(tmp_path / "v.npy")):
        assert source.paths is None and source.labels == ()
    assert read(dict(zip(PATHS, VECTORS, strict=True))).paths == PATHS
    assert read(VECTORS).relabelled([1, 1, 2, None]).labels == ("1", "1", "2", None)
    with pytest.raises(BadParameter, match="each of 4 vectors, got 2"):
        read(VECTORS).relabelled(["a", "b"])


def test_a_file_without_any_label_has_none(tmp_path):
    np.savez(tmp_path / "v.npz", vectors=VECTORS, paths=np.array(PATHS))
    assert read(tmp_path / "v.npz").labels == ()


def test_a_store_has_everything_but_deleted_rows(tmp_path):
    pytest.importorskip("lance", reason="needs the extra store: pip install 'imrep[store]'")
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (len(name), 90, 10 * int(name[4]))).save(
            tmp_path / "photos" / name
        )
    store = tmp_path / "v.lance"
    run("embed", tmp_path / "photos", "histogram", "-o", store)
    (tmp_path / "photos" / "cat" / "2.png").unlink()
    run("embed", tmp_path / "photos", "histogram", "-o", store)
    source = read(store)
    assert dict(zip(source.paths, source.labels, strict=True)) == {
        "cat/1.png": "cat", "dog/1.png": "dog"
    }  # fmt: skip
    assert source.facts["spec"] == "histogram" and len(source.vectors) == 2
    assert Path(source.origin).samefile(tmp_path / "photos")
    assert read(store, "label = 'dog'").paths == ("dog/1.png",)
    with pytest.raises(BadData, match="a store without rows where label = 'cow'"):
        read(store, "label = 'cow'")
    with pytest.raises(BadParameter, match=r"needs a store \(.lance\) for a condition"):
        read(VECTORS, "label = 'dog'")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused_by_name(bad):
    broken = VECTORS.copy()
    broken[2, 1] = bad
    with pytest.raises(BadData, match=r"b/1\.png"):
        read((list(PATHS), broken))


def test_no_vectors_are_refused():
    with pytest.raises(BadData, match="map needs vectors"):
        read(np.zeros((0, 4), np.float32))
