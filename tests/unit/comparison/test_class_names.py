"""Zero-shot scores of a comparison, beside what classifiers learn."""

import json

import pytest
from tiny_bilingual import Tiny, write_photos

import imrep
from imrep import results
from imrep.errors import WeightsNeeded


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Twelve squares of each of two colours."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    return write_photos(tmp_path / "photos", 12, ("red", "blue"))


def colours(images):
    """Mean colours, (b, 3), which know no text."""
    return images.mean((2, 3))


def compare(photos, *specs):
    return imrep.compare(photos, list(specs), photos.parent / "out", size=12)


def test_what_embeds_text_has_a_row_of_its_own(photos):
    comparison = compare(photos, Tiny(), colours)
    *_, line = comparison.table()
    assert line["spec"] == "tinycolours by class names" and line["role"] == "zeroshot"
    assert line["accuracy"] == 1 and line["lo"] < 1 and line["names"] == "words"
    (row,) = [row for row in comparison.rows if row.metric == "zeroshot"]
    assert (row.spec, row.detail, row.unit) == ("tinycolours", "words", "share")
    texts = [note["text"] for note in comparison.verdict["notes"] if note["id"] == "names"]
    assert len(texts) == 1 and texts[0].startswith("No labels needed: by the names of the classes")
    assert "by class names" in repr(comparison) and "by class names" in comparison._repr_html_()
    assert "tinycolours by class names" not in {row.spec for row in comparison.rows}
    page = comparison.report.read_text()
    assert "no labels needed: each class by its name alone" in page


def test_names_that_are_numbers_are_gray_and_said_so(photos):
    for number, name in enumerate(("red", "blue")):
        (photos / name).rename(photos / str(number))
    comparison = compare(photos, Tiny())
    line = comparison.table()[-1]
    assert line["names"] == "numbers" and line["accuracy"] <= 0.5
    assert any("rename the classes to words" in n["text"] for n in comparison.verdict["notes"])
    assert "The names of the classes are numbers, which say nothing." in (
        comparison.report.read_text()
    )


def test_without_text_there_is_none(photos):
    comparison = compare(photos, colours)
    assert {line["role"] for line in comparison.table()} == {"contender"}
    assert not [row for row in comparison.rows if row.metric == "zeroshot"]


def test_a_vocabulary_that_is_absent_is_a_note(photos):
    class Mute(Tiny):
        def embed_text(self, texts):
            raise WeightsNeeded("tinycolours needs its vocabulary, got none.")

    comparison = compare(photos, Mute())
    (note,) = [n["text"] for n in comparison.verdict["notes"] if n["id"] == "names"]
    assert note.endswith("tinycolours needs its vocabulary, got none.")
    assert len(comparison.table()) == 1


def test_rows_can_be_read_back(photos):
    folder = compare(photos, Tiny()).folder
    lines = (folder / results.FILENAME).read_text().splitlines()
    assert [json.loads(line)["metric"] for line in lines].count("zeroshot") == 1
    assert results.read(folder / results.FILENAME)
