"""`imrep.embed` to files and stores: the vectors of the command, and what it refuses."""

import pickle
import subprocess
import sys
from pathlib import Path

import commands
import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

import imrep
from imrep.errors import BadData, BadParameter, StoreMismatch
from imrep.represent.local.hog import HOG

SPECS = ["pixels:side=2", "hog", "sift:words=4"]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Six pictures of two classes, and one that is broken, in the current folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for i in range(6):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(path)
    (tmp_path / "photos" / "a" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    return "photos"


def test_several_are_one_embedding_each(photos):
    several = imrep.embed(photos, [*SPECS, HOG(cell=4), SPECS[0]], size=32)
    assert list(several) == [*SPECS, "hog:cell=4"]
    for spec, embedding in several.items():
        own = imrep.embed(photos, spec, size=32)
        np.testing.assert_array_equal(embedding.vectors, own.vectors)
        assert (embedding.paths, embedding.labels) == (own.paths, own.labels)
        assert [path for path, _ in embedding.skipped] == ["a/broken.jpg"]
    assert not several["sift:words=4"].representation.needs_fit


def test_a_list_in_memory_decodes_once(photos, monkeypatch):
    from imrep.images import canvas

    decoded, square = [], canvas.square
    monkeypatch.setattr(canvas, "square", lambda *a, **m: decoded.append(1) or square(*a, **m))
    imrep.embed(photos, ["pixels", "histogram", "dct"])
    assert len(decoded) == 7


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".safetensors"])
def test_a_file_is_that_of_the_command(photos, suffix):
    embedding = imrep.embed(photos, "hog", out=f"own{suffix}", size=32)
    commands.run("embed", photos, "hog", "-o", f"v{suffix}", "--size", 32)
    assert Path(f"own{suffix}").read_bytes() == Path(f"v{suffix}").read_bytes()
    in_memory = imrep.embed(photos, "hog", size=32)
    np.testing.assert_array_equal(embedding.vectors, in_memory.vectors)
    assert (embedding.paths, embedding.labels) == (in_memory.paths, in_memory.labels)
    assert embedding.shape == embedding.vectors.shape and len(embedding) == 6
    assert repr(embedding) == f"Embedding(6 × 1764 of hog in own{suffix}, 1 skipped)"
    assert embedding.output.skipped_path.read_text().startswith("path,reason\na/broken.jpg")


def test_a_folder_gets_the_files_of_the_command(photos):
    several = imrep.embed(photos, ["hog", "dct"], out="own", size=32)
    commands.run("embed", photos, "hog", "dct", "-o", "v", "--size", 32)
    for name in ("hog", "dct"):
        assert parquet.read_table(f"own/{name}.parquet").equals(
            parquet.read_table(f"v/{name}.parquet")
        )
        assert str(several[name].output.path) == f"own/{name}.parquet"


def test_labels_that_are_none_stay_none_in_every_format(tmp_path):
    pictures = np.random.default_rng(0).random((3, 16, 16, 3))
    for suffix in (".parquet", ".npz", ".safetensors"):
        embedding = imrep.embed(pictures, "pixels:side=2", out=tmp_path / f"v{suffix}")
        assert embedding.labels == (None, None, None)
        assert embedding.paths == ("000000", "000001", "000002")


def test_an_interrupted_call_resumes(photos):
    def stop(what, done, total):
        if done >= 4:
            raise KeyboardInterrupt

    more = {"out": "v.npz", "size": 32, "shard": 1, "batch": 1, "threads": 1}
    with pytest.raises(KeyboardInterrupt):
        imrep.embed(photos, "hog", **more, progress=stop)
    embedding = imrep.embed(photos, "hog", **more)
    assert embedding.output.resumed > 0 and len(embedding) == 6


def test_a_store_is_brought_up_to_date(photos, tmp_path):
    pytest.importorskip("lance", reason="needs the extra store")
    first = imrep.embed(photos, "hog", out="s.lance", size=32, dtype="float16")
    assert (first.output.encoded, len(first)) == (6, 6)
    (tmp_path / "photos" / "a" / "0.png").unlink()
    second = imrep.embed(photos, "hog", out="s.lance", size=32)
    assert (second.output.encoded, second.output.deleted, len(second)) == (0, 1, 5)
    assert len(first.paths) == 6  # at the version that it wrote
    expected = imrep.embed(photos, "hog", size=32)
    order = [expected.paths.index(path) for path in second.paths]
    np.testing.assert_allclose(second.vectors, expected.vectors[order], atol=1e-3)
    commands.run("embed", photos, "hog", "-o", "s.lance", "--size", 32)
    assert imrep.store.open("s.lance").facts.version == second.output.version
    with pytest.raises(StoreMismatch, match="was written by hog"):
        imrep.embed(photos, "dct", out="s.lance", size=32)


@pytest.mark.parametrize(
    ("representation", "more", "message"),
    [
        ("hog", {"out": "v.csv"}, r"written as \.parquet, \.npz, \.safetensors, got 'v\.csv'"),
        ("hog", {"out": "photos"}, "needs a file for one representation, got photos"),
        (["hog"], {"out": "v.npz"}, r"needs a folder for several representations, got v\.npz"),
        (["hog"], {"out": "v.lance"}, "needs a folder for several representations"),
        ("hog", {"out": ""}, "embed needs a path, got ''"),
        ("hog", {"dtype": "float16"}, "needs a store for dtype='float16', got no out"),
        ("hog", {"out": "v.npz", "engine": "ray"}, r"needs a store for engine='ray', got v\.npz"),
        ("hog", {"workers": 2}, "needs engine='ray' for workers"),
        ([], {}, "needs a representation, got an empty list"),
        (["hog", HOG()], {}, "needs each representation once, got hog twice"),
        (["hog", "hgo"], {}, "no representation is called 'hgo'"),
    ],
)
def test_refused_before_anything_is_written(photos, tmp_path, representation, more, message):
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises((BadParameter, LookupError), match=message):
        imrep.embed(photos, representation, **more)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_folder_that_is_no_store_stays(photos, tmp_path):
    (tmp_path / "s.lance").mkdir()
    (tmp_path / "s.lance" / "mine.txt").write_text("mine")
    with pytest.raises(BadData):
        imrep.embed(photos, "hog", out="s.lance")
    assert (tmp_path / "s.lance" / "mine.txt").read_text() == "mine"


def test_the_store_is_reachable_without_lance():
    code = "import sys, imrep; imrep.store.open; imrep.store.Store; print('lance' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_embedding_is_pickled_with_its_rows():
    images = np.random.default_rng(0).random((3, 8, 8, 3))
    first = imrep.embed((images, ["a", "b", "a"]), "pixels:side=2")
    second = pickle.loads(pickle.dumps(first))
    assert np.array_equal(first.vectors, second.vectors)
    assert (second.paths, second.labels, second.output) == (first.paths, ("a", "b", "a"), None)
    assert second.representation.spec == first.representation.spec
