"""Rows of parquet files: which column holds the images, which the labels."""

import json

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from imrep.datasets.sources import File
from imrep.datasets.tables import target_columns
from imrep.datasets.tables.parquet import NoData, read
from imrep.errors import BadData, BadFile

BYTES = [b"one", b"two", b"three", b"four", b"five"]


@pytest.fixture
def file_of(tmp_path):
    """What `read` makes of a table with these columns."""

    def read_table(metadata=None, size=2, **columns):
        table = arrow.table(columns).replace_schema_metadata(metadata)
        parquet.write_table(table, tmp_path / "t.parquet", row_group_size=size)
        return read(File(tmp_path / "t.parquet"), "t.parquet")

    return read_table


def answers(frame):
    return target_columns.read([frame.column], None).lines[0]


def huggingface(**features):
    return {"huggingface": json.dumps({"info": {"features": features}})}


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_rows_are_read_in_any_order_whatever_their_groups(file_of, size):
    frame = file_of(jpg=BYTES, size=size)
    for i in (3, 0, 4, 2, 1, 3):
        assert frame.rows[i].read() == BYTES[i]
    assert len(set(frame.rows)) == 5


def test_the_column_is_chosen_by_name_before_type(file_of):
    frame = file_of(audio=[b"x"], image=[b"y"], label=["a"])
    assert frame.rows[0].read() == b"y" and answers(frame) == ["a"]
    assert "several columns of images, image, audio; image was taken." in frame.notes[0]


def test_features_name_the_classes_and_decide_over_column_names(file_of):
    metadata = huggingface(fine={"_type": "ClassLabel", "names": ["cat", "dog"]})
    frame = file_of(metadata, jpg=BYTES[:3], label=["x", "y", "z"], fine=[1, 0, -1])
    assert answers(frame) == ["dog", "cat", None]
    assert "several columns of labels, fine, label; fine was taken." in frame.notes[0]


@pytest.mark.parametrize("text", ["[]", "no json", '{"info": {"features": 3}}', '{"info": null}'])
def test_damaged_features_are_ignored(file_of, text):
    frame = file_of({"huggingface": text}, jpg=BYTES[:1], label=[7])
    assert answers(frame) == ["7"]


def test_a_table_of_paths_is_a_listing(file_of):
    frame = file_of(path=["a.png", None], label=["x", "y"], box=[[1, 2], [3]])
    assert not frame.rows and frame.listing.names == ("path", "label")
    assert list(frame.listing.rows) == [("a.png", "x"), (None, "y")]


def test_vectors_of_imrep_are_an_output_and_other_tables_no_data(file_of):
    vectors = file_of({"imrep.spec": "hog"}, path=["a.png"])
    assert isinstance(vectors, NoData) and vectors.is_output and "imrep wrote" in vectors.reason
    other = file_of(weight=[1.0], note=["a"])
    assert isinstance(other, NoData) and not other.is_output
    assert other.reason.startswith("t.parquet needs a column of image bytes or of paths, got weigh")


def test_a_row_without_bytes_is_its_path_beside_the_file_or_refused(file_of, tmp_path):
    (tmp_path / "there.png").write_bytes(b"bytes of a file")
    cells = [{"bytes": None, "path": name} for name in ("there.png", "gone.png", None)]
    there, gone, none = list(file_of(image=cells).rows)
    assert there.read() == b"bytes of a file"
    with pytest.raises(BadFile, match=r"row 1 of t\.parquet names gone\.png, .* Copy it there"):
        gone.read()
    with pytest.raises(BadFile, match=r"row 0 of t\.parquet holds no image"):
        none.read()


def test_a_file_that_is_damaged_after_reading_is_refused_row_by_row(file_of, tmp_path):
    frame = file_of(jpg=BYTES)
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadFile, match=r"rows of t\.parquet cannot be read .* Write it again\."):
        frame.rows[0].read()
    with pytest.raises(BadData, match=r"^t\.parquet cannot be read as parquet"):
        read(File(tmp_path / "t.parquet"), "t.parquet")
