"""A store follows its images: only what is new or changed is embedded, and nothing is doubled."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

import imrep
from imrep import datasets, store
from imrep.errors import BadData, StoreMismatch
from imrep.store import update

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


@pytest.fixture
def photos(tmp_path):
    """Nine small images of two classes, and one that is broken."""
    root = tmp_path / "photos"
    rng = np.random.default_rng(0)
    for i in range(9):
        path = root / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12 + i, 20, 3), dtype=np.uint8)).save(path)
    (root / "a" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return root


@pytest.fixture
def embed(photos, tmp_path):
    """Embed the photos to a store; `encoded` lists the sizes of the batches."""

    def embed(spec="pixels:side=4", data=photos, **more):
        settings = update.Settings(**{"size": 16, "data": str(data), "shard": 4} | more)
        items = datasets.find(str(data)).items
        return update.embed(items, imrep.get(spec), tmp_path / "s.lance", settings)

    return embed


def paths(tmp_path):
    return sorted(store.open(tmp_path / "s.lance").rows(["path"])["path"].to_pylist())


def test_rows_have_path_digest_label_size_and_vector(embed, photos, tmp_path):
    done = embed()
    assert (done.rows, done.dim, done.encoded, done.reused) == (9, 48, 9, 0)
    assert [path for path, _ in done.skipped] == ["a/broken.jpg"]
    assert "broken" in done.skipped_path.read_text()
    opened = store.open(tmp_path / "s.lance")
    assert opened.facts.data == str(photos) and opened.facts.size == 16
    rows = opened.rows().to_pylist()
    first = next(row for row in rows if row["path"] == "b/3.png")
    assert (first["label"], first["width"], first["height"]) == ("b", 20, 15)
    expected = imrep.embed(str(photos), "pixels:side=4", size=16)
    order = [expected.paths.index(row["path"]) for row in rows]
    np.testing.assert_array_equal(opened.vectors(), expected.vectors[order])


def test_the_same_call_does_nothing_again(embed):
    first, second = embed(), embed()
    assert (second.encoded, second.reused, second.current) == (0, 0, 9)
    assert second.version == first.version


def test_new_and_changed_images_alone_are_embedded(embed, photos, tmp_path):
    embed()
    before = store.open(tmp_path / "s.lance")
    Image.new("RGB", (8, 8), "red").save(photos / "a" / "new.png")
    Image.new("RGB", (8, 8), "blue").save(photos / "a" / "0.png")
    done = embed()
    assert (done.rows, done.encoded, done.current, done.deleted) == (10, 2, 8, 0)
    where = "path = 'a/0.png'"
    after = store.open(tmp_path / "s.lance")
    assert not np.array_equal(after.vectors(where), before.vectors(where))


def test_renamed_copied_and_touched_images_are_not_embedded_again(embed, photos, tmp_path):
    embed()
    vector = store.open(tmp_path / "s.lance").vectors("path = 'a/0.png'")
    (photos / "a" / "0.png").rename(photos / "b" / "moved.png")
    shutil.copy(photos / "a" / "2.png", photos / "a" / "copy.png")
    os.utime(photos / "b" / "1.png", (1, 1))
    done = embed()
    assert (done.rows, done.encoded, done.reused, done.deleted) == (10, 0, 3, 1)
    opened = store.open(tmp_path / "s.lance")
    np.testing.assert_array_equal(opened.vectors("path = 'b/moved.png'"), vector)
    assert opened.rows(["label"], "path = 'b/moved.png'")["label"].to_pylist() == ["b"]
    assert embed().current == 10


def test_the_row_of_an_image_that_is_gone_is_marked_and_comes_back(embed, photos, tmp_path):
    embed()
    away = tmp_path / "away.png"
    (photos / "a" / "2.png").rename(away)
    done = embed()
    assert (done.rows, done.deleted) == (8, 1)
    assert "a/2.png" not in paths(tmp_path)
    away.rename(photos / "a" / "2.png")
    done = embed()
    assert (done.rows, done.encoded, done.reused) == (9, 0, 1)
    assert len(paths(tmp_path)) == len(set(paths(tmp_path))) == 9


def test_an_image_that_became_unreadable_has_no_row(embed, photos, tmp_path):
    embed()
    (photos / "a" / "2.png").write_bytes(b"no picture")
    done = embed()
    assert done.rows == 8 and len(done.skipped) == 2
    assert embed().rows == 8


def test_a_new_label_needs_no_embedding(embed, photos, tmp_path):
    names = [f"{folder}/{i}.png" for i, folder in ((0, "a"), (1, "b"))]
    split = photos / "split.csv"
    split.write_text("path,label\n" + "".join(f"{name},x\n" for name in names))
    embed(data=split)
    split.write_text("path,label\n" + "".join(f"{name},y\n" for name in names))
    done = embed(data=split)
    assert (done.encoded, done.reused, done.current) == (0, 0, 2)
    assert store.open(tmp_path / "s.lance").rows()["label"].to_pylist() == ["y", "y"]


def test_a_codebook_is_fitted_once(embed, photos, tmp_path):
    spec = "sift:words=8"
    first = embed(spec, size=64)
    assert first.fitted_on == 9 and (tmp_path / "s.lance.rep" / "config.json").is_file()
    Image.new("RGB", (64, 64), "red").save(photos / "a" / "new.png")
    second = embed(spec, size=64)
    assert (second.encoded, second.rows) == (1, 10)
    saved = imrep.load(tmp_path / "s.lance.rep")
    assert saved.fingerprint == store.open(tmp_path / "s.lance").facts.fingerprint
    shutil.rmtree(tmp_path / "s.lance.rep")
    with pytest.raises(StoreMismatch, match="needs the codebook of its vectors in"):
        embed(spec, size=64)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"spec": "hog"}, r"was written by pixels:side=4 \(.{4}…\), not by hog \(.{4}…\)\. Embed"),
        ({"size": 20}, "holds vectors of images at 16 px, not at 20 px. Use --size 16"),
        ({"dtype": "float16"}, "holds float32, not float16"),
        ({"reading": imrep.images.Reading(data_range=(0, 9))}, "read with .* not with"),
    ],
)
def test_vectors_that_would_not_agree_are_refused(embed, tmp_path, more, message):
    version = embed().version
    with pytest.raises(StoreMismatch, match=message):
        embed(**more)
    assert store.open(tmp_path / "s.lance").facts.version == version


def test_half_precision_stays_half_precision(embed, tmp_path):
    embed(dtype="float16")
    embed()
    assert store.open(tmp_path / "s.lance").facts.dtype == "float16"


def test_other_images_are_refused_and_a_moved_folder_is_not(embed, photos, tmp_path):
    embed()
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (8, 8)).save(other / "x.png")
    with pytest.raises(BadData, match=r"which has none of them\. Use another -o"):
        embed(data=other)
    assert len(paths(tmp_path)) == 9
    moved = photos.rename(tmp_path / "moved")
    done = embed(data=moved)
    assert (done.rows, done.encoded, done.current) == (9, 0, 9)
    assert store.open(tmp_path / "s.lance").facts.data == str(moved)


def test_images_that_cannot_be_read_make_no_store(embed, photos, tmp_path):
    for path in photos.rglob("*.png"):
        path.write_bytes(b"no")
    with pytest.raises(BadData, match="none of the 10 files gave a vector"):
        embed()
    assert not (tmp_path / "s.lance").exists()


def test_what_an_interrupted_run_committed_is_not_embedded_again(embed, monkeypatch):
    commits = []
    write = update.Writer.append

    def append(writer, rows):
        if len(commits) == 1:
            raise KeyboardInterrupt
        commits.append(rows.num_rows)
        write(writer, rows)

    monkeypatch.setattr(update.Writer, "append", append)
    with pytest.raises(KeyboardInterrupt):
        embed()
    monkeypatch.undo()
    done = embed()
    assert (done.rows, done.encoded) == (9, 9 - commits[0])
