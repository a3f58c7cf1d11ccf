"""A store: what is committed is read again, and nothing else."""

import numpy as np
import pytest

from imrep import store
from imrep.errors import BadData, BadParameter, Busy, StoreMismatch
from imrep.store.commits import Writer

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


def test_what_is_committed_is_read(path, rows):
    opened = store.open(path)
    assert opened.facts == store.Facts(
        spec="hog", fingerprint="3fa1b2", size=64, imrep="0.1.0", data="/photos", reading="",
        rows=3, deleted=0, dim=4, dtype="float32", version=2,
    )  # fmt: skip
    assert opened.rows()["path"].to_pylist() == ["a/1", "a/2", "b/3"]
    np.testing.assert_array_equal(opened.vectors()[2], [2, 3, 4, 5])
    assert opened.vectors().dtype == np.float32


def test_a_condition_selects_rows_and_their_vectors(path, rows):
    opened = store.open(path)
    assert opened.rows(["path"], "label = 'b'")["path"].to_pylist() == ["b/3"]
    assert opened.vectors("label = 'b'").shape == (1, 4)
    with pytest.raises(BadParameter, match=r"needs a condition such as .* got 'colour = 3'"):
        opened.rows(where="colour = 3")
    with pytest.raises(BadParameter, match="got 'colour'"):
        opened.rows(["colour"])


def test_an_upsert_replaces_rows_and_adds_rows(path, rows):
    with Writer(path) as writer:
        writer.upsert(rows(["b/3", "b/4"], label="new"))
    labels = dict(zip(*store.open(path).rows(["path", "label"]).to_pydict().values(), strict=True))
    assert labels == {"a/1": "a", "a/2": "a", "b/3": "new", "b/4": "new"}


def test_rows_marked_deleted_are_left_out(path, rows):
    with Writer(path) as writer:
        writer.upsert(rows(["a/2"], deleted=True))
    opened = store.open(path)
    assert opened.rows()["path"].to_pylist() == ["a/1", "b/3"]
    assert (len(opened), opened.facts.deleted, len(opened.vectors())) == (2, 1, 2)


def test_an_open_store_stays_at_its_version(path, rows):
    before = store.open(path)
    with Writer(path) as writer:
        writer.append(rows(["c/5"]))
        writer.compact(always=True)
    assert len(before.rows()) == len(before.vectors()) == 3
    assert len(store.open(path).vectors()) == 4


def test_half_precision_is_read_as_float32(tmp_path, rows):
    with Writer(tmp_path / "s.lance") as writer:
        writer.create(
            4, "float16", {"spec": "hog", "fingerprint": "3f", "size": "native", "imrep": "0"}
        )
        writer.append(rows(["a/1"], "float16"))
    opened = store.open(tmp_path / "s.lance")
    assert opened.facts.dtype == "float16" and opened.vectors().dtype == np.float32


def test_compaction_leaves_the_rows(path, rows):
    with Writer(path) as writer:
        for name in "cdefghij":
            writer.append(rows([name]))
        before = store.open(path)
        assert writer.compact()
    after = store.open(path)
    assert after.rows().equals(before.rows())
    np.testing.assert_array_equal(after.vectors(), before.vectors())
    assert len(after.dataset.get_fragments()) == 1


def test_another_representation_is_refused(path):
    opened = store.open(path)
    opened.require("hog", "3fa1b2", "Embed again.")
    with pytest.raises(StoreMismatch, match=r"was written by hog \(3fa1…\), not by vit \(9c07…\)"):
        opened.require("vit", "9c07aa", "Embed again.")


def test_a_second_writer_is_refused(path):
    with Writer(path), pytest.raises(Busy, match=r"another run \(pid \d+\) writes"), Writer(path):
        pass


def test_numbers_that_are_not_finite_are_refused(path, rows):
    with Writer(path) as writer, pytest.raises(BadData, match="the vector of c/9"):
        writer.append(rows(["c/8", "c/9"]).set_column(5, "vector", [[[0.0] * 4, [np.nan] * 4]]))
    assert len(store.open(path)) == 3


@pytest.mark.parametrize("content", [None, "file", "empty", "foreign"])
def test_what_is_no_store_is_refused(tmp_path, content):
    path = tmp_path / "x.lance"
    if content == "file":
        path.write_text("no")
    elif content:
        path.mkdir()
    if content == "foreign":
        (path / "notes.txt").write_text("mine")
    with pytest.raises(BadData, match="needs to be a store that imrep embed wrote, got"):
        store.open(path)
    if content in ("file", "foreign"):
        with pytest.raises(BadData, match="Use another -o"), Writer(path):
            pass
        assert path.exists()


def test_another_format_is_refused(path):
    with Writer(path) as writer:
        writer.restate({"format": "2"})
    with pytest.raises(StoreMismatch, match=r"has the format 2, and this imrep reads 1\."):
        store.open(path)


def test_a_table_of_others_is_refused(tmp_path):
    import lance
    import pyarrow as pa

    lance.write_dataset(pa.table({"x": [1]}), str(tmp_path / "x.lance"))
    with pytest.raises(BadData, match="got another Lance table"):
        store.open(tmp_path / "x.lance")
