"""Retrieval of captions in a comparison."""

import numpy as np
import pytest
from PIL import Image
from tiny_bilingual import Tiny, write_photos

import imrep


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Six squares of each of two colours."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    return write_photos(tmp_path / "photos", 6, ("red", "blue"))


def colours(images):
    """Mean colours, (b, 3), which know no text."""
    return images.mean((2, 3))


def compare(photos, *specs):
    return imrep.compare(photos, list(specs), photos.parent / "out", size=12)


def write_captions(photos, name="captions.csv"):
    lines = [f"{p.parent.name}/{p.name},a {p.parent.name} thing" for p in photos.rglob("*.png")]
    (photos / name).write_text("path,caption\n" + "\n".join(sorted(lines)) + "\n")


def test_captions_are_columns_beside_what_embeds_text(photos):
    write_captions(photos)
    comparison = compare(photos, Tiny(), colours)
    rows = [row for row in comparison.rows if row.metric in ("text_to_image", "image_to_text")]
    assert {(row.metric, row.detail) for row in rows} == {
        (metric, detail)
        for metric in ("text_to_image", "image_to_text")
        for detail in ("", "R@5", "R@10")
    }
    by_detail = {row.detail: row for row in rows if row.metric == "text_to_image"}
    assert by_detail[""].value <= by_detail["R@5"].value < 1  # six captions are the same
    assert by_detail["R@10"].value == 1 and by_detail["R@5"].lo < by_detail["R@5"].hi
    lines = {line["spec"]: line for line in comparison.table()}
    assert lines["tinycolours"]["text_to_image"] == by_detail[""].value
    assert "text_to_image" not in lines["colours"]
    page = comparison.report.read_text()
    assert "text → image R@1" in page and "image → text R@1" in page


def test_without_captions_or_text_there_are_no_columns(photos):
    assert not [row for row in compare(photos, Tiny()).rows if row.metric == "text_to_image"]
    write_captions(photos)
    comparison = compare(photos, colours)
    assert not [row for row in comparison.rows if row.metric == "text_to_image"]


def test_a_folder_without_classes_is_enough(photos, tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    lines = ["path,caption"]
    for i, name in enumerate(["red", "green", "blue", "yellow"] * 3):
        colour = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250),
                  "yellow": (250, 250, 0)}[name]  # fmt: skip
        pixels = np.uint8(np.random.default_rng(i).integers(0, 6, (12, 12, 3)) + colour)
        Image.fromarray(pixels).save(folder / f"{i:02}.png")
        lines.append(f"{i:02}.png,{name}")
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    comparison = compare(folder, Tiny())
    (line,) = comparison.table()
    assert line["text_to_image"] < 1
    row = next(row for row in comparison.rows if row.detail == "R@5")
    assert row.value == 1  # three of twelve have the colour


def test_a_broken_table_of_captions_is_not_in_the_way(photos):
    (photos / "captions.csv").write_text("path,caption\nnosuch\n")
    assert not [row for row in compare(photos, Tiny()).rows if row.metric == "text_to_image"]
