"""Side files and folders: only what imrep wrote is written over or removed."""

import csv
import re

import pytest

from imrep.errors import BadData, Busy
from imrep.io import skipped
from imrep.io.output_folder import claimed, is_own


def test_the_list_is_named_after_the_output_and_removed_when_there_is_none(tmp_path):
    path = skipped.beside(tmp_path / "v.parquet")
    assert path.name == "v.parquet.skipped.csv"
    assert skipped.write(path, [("a,b.png", "no image"), ("\udce9t\udce9.png", "empty")]) == path
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["path", "reason"], ["a,b.png", "no image"], ["\\xe9t\\xe9.png", "empty"],
        ]  # fmt: skip
    assert skipped.write(path, []) is None
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "my own notes\n", "path\n"])
def test_another_file_of_that_name_stays(tmp_path, content):
    path = tmp_path / "v.parquet.skipped.csv"
    path.write_text(content)
    with pytest.raises(BadData, match="Move it away or use another -o"):
        skipped.check(path)
    with pytest.raises(BadData):
        skipped.write(path, [("a", "b")])
    assert skipped.write(path, []) is None
    assert path.read_text() == content


def test_a_new_folder_is_marked_and_its_files_may_be_written_again(tmp_path):
    for _ in range(2):
        with claimed(tmp_path / "new" / "report", "compare"):
            (tmp_path / "new" / "report" / "index.html").write_text("page")
    assert is_own(tmp_path / "new" / "report")


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "index.html").write_text("mine")
    expected = re.escape(f"got {tmp_path}, which holds index.html. Try {tmp_path / 'compare'}.")
    with pytest.raises(BadData, match=expected), claimed(tmp_path, "compare"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_an_empty_folder_is_taken_and_left_as_it_was(tmp_path):
    (tmp_path / ".DS_Store").write_text("")
    for folder in (tmp_path, tmp_path / "new"):
        with claimed(folder, "compare"):
            assert is_own(folder)
    assert [path.name for path in tmp_path.iterdir()] == [".DS_Store"]


def test_a_second_writer_is_refused(tmp_path):
    expected = r"another run \(pid \d+\) writes .*r\. Wait for it"
    with claimed(tmp_path / "r", "compare"):
        with pytest.raises(Busy, match=expected), claimed(tmp_path / "r", "compare"):
            pass
        assert is_own(tmp_path / "r")


def test_a_report_from_before_there_were_marks_may_be_written_again(tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "results.jsonl").write_text('{"run": "68ce", "time": "2026", "spec": ""}\n')
    with claimed(tmp_path, "compare"):
        pass
    assert is_own(tmp_path) and (tmp_path / ".imrep").is_file()


@pytest.mark.parametrize("name", ["index.html", "results.jsonl"])
def test_half_of_one_is_none(tmp_path, name):
    (tmp_path / name).write_text('{"run": "68ce"}\n')
    with pytest.raises(BadData), claimed(tmp_path, "compare"):
        pass
