"""`imrep classify` as a process."""

import csv
import io
import json

import pytest
from pyarrow import parquet
from tiny_bilingual import as_plugin, write_photos


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Squares of three colours, one file that is broken, and the environment."""
    root = tmp_path_factory.mktemp("classify")
    write_photos(root / "photos")
    (root / "photos" / "red" / "r9.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (root / "labels.txt").write_text("red\ngreen\nblue\nwhite\nyellow\nnothing, really\n")
    return root


@pytest.fixture(scope="module")
def classify(imrep, root):
    """Run `imrep classify` there."""
    plugin = as_plugin(root / "plugin") | {"IMREP_CACHE": str(root / "cache")}
    return lambda *words, run=imrep, **more: run(
        "classify", *words, "-r", "tinycolours", cwd=root, **more, **plugin
    )


def test_one_image_has_all_labels_and_says_among_which(classify, installed):
    words = ("photos/red/r0.png", "--labels", "a blue thing, a red thing")
    done = classify(*words, run=installed)
    first, second = done.stdout.splitlines()
    assert first.split() == ["a", "red", "thing", first.split()[3], "%"]
    assert second.startswith("a blue thing    ")
    assert "among these 2 labels only" in done.stderr


def test_a_folder_is_a_csv_and_its_accuracy_is_beside_it(classify):
    done = classify("photos", "--top", "2")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [*rows[0]] == ["path", "label", "p", "label2", "p2"] and len(rows) == 13
    assert all(row["label"] == row["path"].split("/")[0] for row in rows if row["label"])
    assert [row["path"] for row in rows if not row["label"]] == ["red/r9.jpg"]
    assert "accuracy 100 % (" in done.stderr and "guessing 33), no labels needed" in done.stderr
    assert "red/r9.jpg: " in done.stderr


def test_files_of_both_kinds_hold_the_same(classify, root):
    done = classify("photos", "--labels", "labels.txt", "-o", "a.csv", "--strict", expect=3)
    assert done.stdout.startswith("a.csv  13 images") and "top-5 100 %" in done.stdout
    classify("photos", "--labels", "labels.txt", "-o", "a.parquet", "-q")
    rows = list(csv.DictReader(io.StringIO((root / "a.csv").read_text())))
    table = parquet.read_table(root / "a.parquet").to_pylist()
    assert [row["label"] or None for row in rows] == [row["label"] for row in table]
    assert [float(row["p"] or 0) for row in rows] == [row["p"] or 0 for row in table]


def test_json_has_everything(classify):
    done = classify("photos", "--json", "--templates", "a {}", "--templates", "the {}")
    facts = json.loads(done.stdout)
    assert facts["templates"] == ["a {}", "the {}"] and facts["labels"] == ["blue", "green", "red"]
    assert facts["accuracy"]["value"] == 1 and facts["accuracy"]["n"] == 12
    assert len(facts["answers"]) == 13 and facts["skipped"][0]["path"] == "red/r9.jpg"
    assert facts["answers"][0]["top"][0]["label"] == "blue"


def test_bad_words_are_one_line(classify):
    done = classify("photos", "--labels", "red,,blue", expect=1)
    assert done.stderr.startswith("classify needs every label to be a text, got an empty one")
    assert len(done.stderr.splitlines()) == 1
    done = classify("photos", "--labels", "red,blue", "--templates", "a photo", expect=1)
    assert "got 'a photo'" in done.stderr
    assert "Try a.csv" in classify("photos", "-o", "a.xlsx", expect=2).stderr


@pytest.mark.slow
def test_compare_has_a_row_by_class_names(imrep, root, classify):
    plugin = as_plugin(root / "compare plugin") | {"IMREP_CACHE": str(root / "cache")}
    words = ("compare", "photos", "-r", "tinycolours", "-r", "pixels:side=1", "--size", 12)
    done = imrep(*words, cwd=root, **plugin)
    (row,) = [line for line in done.stdout.splitlines() if "by class names" in line]
    assert row.startswith("◇ tinycolours by class names    100.0%")
    assert "◇ no labels needed" in done.stdout
    assert "No labels needed: by the names of the classes alone, tinycolours is" in done.stdout
