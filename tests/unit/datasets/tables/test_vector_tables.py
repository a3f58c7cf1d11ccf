"""Vectors made elsewhere are read from every kind of file; others are refused in a sentence."""

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet
from safetensors.torch import save_file

from imrep.datasets.tables import vector_tables
from imrep.datasets.tables.vector_tables import read
from imrep.errors import BadData
from imrep.io import vectors as writer

VECTORS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
PATHS = ("a/1.png", "a/2.png", "b/ä 3.png", "b/4.png")


@pytest.fixture(params=["parquet", "npz", "safetensors", "csv", "npy"])
def file(request, tmp_path):
    path = tmp_path / f"v.{request.param}"
    if request.param == "npy":
        np.save(path, VECTORS)
    elif request.param == "csv":
        lines = [
            f"{p},{','.join(map(repr, map(float, v)))}" for p, v in zip(PATHS, VECTORS, strict=True)
        ]
        path.write_text("\n".join(["path,x,y,z", *lines]) + "\n", "utf-8")
    else:
        texts = {"path": PATHS, "label": ["a", "a", "b", "b"]}
        writer.write(path, writer.Table([VECTORS[:3], VECTORS[3:]], 4, 3, texts, {"spec": "hog"}))
    return path


def test_what_embed_writes_and_plain_files_are_read_back(file):
    table = read("mine", file)
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.vectors.dtype == np.float32
    assert table.paths == (None if file.suffix == ".npy" else PATHS)
    assert table.notes == ()
    assert read("mine", str(file)).paths == table.paths


def test_a_damaged_file_is_refused(file):
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(BadData, match=r"v\.\w+ cannot be read as|mine needs") as error:
        read("mine", file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "source",
    [
        VECTORS.astype(np.float64),
        VECTORS.tolist(),
        torch.from_numpy(VECTORS).requires_grad_(),
        list(torch.from_numpy(VECTORS)),
        [row.requires_grad_() for row in torch.from_numpy(VECTORS.copy())],
    ],
)
def test_arrays_tensors_and_lists_have_no_paths(source):
    table = read("mine", source)
    assert table.paths is None
    np.testing.assert_array_equal(table.vectors, VECTORS)


def test_paths_come_beside_the_array_or_in_a_mapping():
    for source in (
        (PATHS, VECTORS),
        (list(map(Path, PATHS)), torch.from_numpy(VECTORS)),
        (np.array(PATHS), VECTORS.tolist()),
        dict(zip(PATHS, VECTORS, strict=True)),
        {Path(p): torch.from_numpy(v) for p, v in zip(PATHS, VECTORS, strict=True)},
    ):
        table = read("mine", source)
        assert table.paths == PATHS
        np.testing.assert_array_equal(table.vectors, VECTORS)
    pair = read("mine", ((1.0, 2.0), (3.0, 4.0)))  # two rows, not paths and an array
    assert pair.paths is None and pair.vectors.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, np.float64])
def test_any_number_type_becomes_float32(dtype):
    table = read("mine", np.arange(6).reshape(3, 2).astype(dtype))
    assert table.vectors.dtype == np.float32 and table.vectors.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_one_number_an_image_and_bfloat16():
    assert read("mine", np.arange(3)).vectors.shape == (3, 1)
    assert read("mine", {"a": 1.0, "b": 2.0}).vectors.tolist() == [[1], [2]]
    assert read("mine", torch.ones(2, 2, dtype=torch.bfloat16)).vectors.tolist() == [[1, 1]] * 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((4, 7, 7, 5)), r"^mine has shape \(4, 7, 7, 5\); pool it to one vector an image"),
        ([[1, 2], [3]], "of one length, got 2 numbers for row 1 and 1 for row 2"),
        ({"a.png": [1, 2], "b.png": [3, 4], "c.png": [3]}, "2 numbers for a.png and 1 for c.png"),
        ((PATHS, np.where(np.arange(12).reshape(4, 3) == 7, np.nan, 1)),
         r"finite numbers, got nan for b/ä 3\.png in column 2\. Make that vector again"),
        (np.full((2, 2), 1e300), r"finite numbers, got inf for row 1 in column 1"),
        (np.full((2, 2), -np.inf), "got -inf for row 1"),
        ([["a", "b"]], "integers or floats, got 'a' for row 1 in column 1"),
        (np.array([[1, "x"]], object), "got 'x' for row 1 in column 2"),
        (np.ones((2, 2), bool), "got True for row 1"),
        (np.ones((2, 2), complex), "integers or floats, got .*1"),
        (None, "integers or floats, got None|vectors"),
        (3.0, r"vectors \(n, d\), got one number"),
        (np.zeros((0, 3)), r"vectors, got shape \(0, 3\)"),
        (np.zeros((3, 0)), r"vectors, got shape \(3, 0\)"),
        ({}, "vectors, got none"),
        ({1: [1.0]}, r"paths, got 1\. Give \{path: vector\}"),
        ((PATHS[1:], VECTORS), "one vector for each of 3 paths, got 4"),
        ("nothing.npy", "a file of vectors, got nothing at nothing.npy"),
        ("v.h5", r"a file of \.parquet, .*; got v\.h5"),
        ("v.pt", r"^v\.pt was saved with pickle, which can run code\. Save it with numpy\.savez"),
        ("v.PKL", "with pickle"),
    ],
)  # fmt: skip
def test_the_refusals(source, message):
    with pytest.raises(BadData, match=message) as error:
        read("mine", source)
    assert str(error.value).endswith((".", "?"))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_nothing_is_unpickled(tmp_path, suffix):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = tmp_path / f"v{suffix}"
    bombs = np.empty((2, 2), object)
    bombs[:] = Bomb()
    if suffix == ".npy":
        np.save(path, bombs, allow_pickle=True)
    else:
        np.savez(path, vectors=bombs, paths=np.array(["a", "b"]))
    with pytest.raises(BadData, match="pickle, which can run code"):
        read("mine", path)
    (tmp_path / "v.pkl").write_bytes(pickle.dumps(1))
    with pytest.raises(BadData, match="pickle, which can run code"):
        read("mine", tmp_path / "v.pkl")


def test_archives_without_both_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "v.npz", VECTORS)
    with pytest.raises(BadData, match=r"vectors and paths in v\.npz, got arr_0\. Save both"):
        read("mine", tmp_path / "v.npz")
    np.savez(tmp_path / "w.npz", vectors=VECTORS, paths=np.arange(4))
    with pytest.raises(BadData, match=r"texts as paths in w\.npz, got int64"):
        read("mine", tmp_path / "w.npz")
    save_file({"vectors": torch.from_numpy(VECTORS)}, tmp_path / "v.safetensors")
    with pytest.raises(BadData, match=r"vectors and paths in v\.safetensors, got vectors"):
        read("mine", tmp_path / "v.safetensors")


def test_a_header_that_claims_more_than_the_file_has_allocates_nothing(tmp_path):
    path = tmp_path / "v.npy"
    with path.open("wb") as out:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 10)}
        np.lib.format.write_array_header_1_0(out, header)
    with pytest.raises(BadData, match=r"v\.npy cannot be read as \.npy"):
        read("mine", path)


def test_a_folder_and_a_wide_parquet(tmp_path):
    (tmp_path / "v.npy").mkdir()
    with pytest.raises(BadData, match="got a folder at"):
        read("mine", tmp_path / "v.npy")
    names = {"file": PATHS, "x": VECTORS[:, 0], "label": [0, 0, 1, 1]}
    parquet.write_table(pa.table(names), tmp_path / "v.parquet")
    table = read("mine", tmp_path / "v.parquet")
    assert (table.columns, table.notes) == (
        ("x",),
        ("Of mine, the column label is no feature and was left out.",),
    )
    assert vector_tables.VectorTable("m", VECTORS, None).row_name(2) == "row 3"
