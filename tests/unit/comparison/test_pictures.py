"""pictures.csv is complete; a few images of each issue are displayed, the oddest first."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.diagnostics import quality
from imrep.comparison.diagnostics.quality import Odd, Quality, Trait
from imrep.comparison.output import pictures
from imrep.comparison.output.rows import Rows
from imrep.duplicates.search import Duplicates, Edge
from imrep.images import Facts
from imrep.results import Row

RANGES = {**quality.FIXED, "size": (100.0, 900.0)}
NOTHING = Quality((), (), RANGES)


def collection(labels, edges=(), builtin=False):
    items = [SimpleNamespace(path=f"{k:02}.png", label=label) for k, label in enumerate(labels)]
    facts = [Facts(640, 480, 9, "JPEG", "RGB", 0)] * len(items)
    copies = Duplicates(tuple(edges), np.arange(len(items)), np.zeros(len(items), bool))
    decoded = SimpleNamespace(items=items, facts=facts)
    return SimpleNamespace(
        decoded=decoded, duplicates=copies, builtin=builtin, label_texts=list(labels)
    )


def edge(i, j, hn=0.9):
    return Edge(i, j, 0.99, hn, False, False)


def lines(path):
    with path.open(newline="") as file:
        return [tuple(line.values()) for line in csv.DictReader(file)]


def test_every_issue_of_every_image_is_a_line(tmp_path):
    odd = (Odd(1, "dark", 0.12345, 0.3), Odd(1, "size", 20.0, 100.0), Odd(0, "gray", 0.0, 3.0))
    pictures.write(tmp_path / "p.csv", Quality(odd, (), RANGES), collection([None] * 2))
    assert lines(tmp_path / "p.csv") == [
        ("00.png", "gray", "0", "3", ""),
        ("01.png", "dark", "0.1235", "0.3", ""),
        ("01.png", "size", "20", "100", ""),
    ]


def test_near_duplicates_are_listed_with_the_best_and_conflicts_with_all(tmp_path):
    images = collection(["a", "a", "b"], [edge(0, 1, 0.95), edge(0, 2, 0.85)])
    pictures.write(tmp_path / "p.csv", NOTHING, images)
    assert [(path, issue, other) for path, issue, _, _, other in lines(tmp_path / "p.csv")] == [
        ("00.png", "conflict", "02.png"),
        ("00.png", "duplicate", "01.png"),
        ("01.png", "duplicate", "00.png"),
        ("02.png", "conflict", "00.png"),
        ("02.png", "duplicate", "00.png"),
    ]


@pytest.mark.parametrize("images", [collection(["a"] * 2), collection("ab", [edge(0, 1)], True)])
def test_without_an_issue_the_list_of_an_earlier_run_is_removed(tmp_path, images):
    (tmp_path / "p.csv").write_text("path,issue\n")
    pictures.write(tmp_path / "p.csv", NOTHING, images)
    assert not (tmp_path / "p.csv").exists()


def test_rows_count_images_and_state_the_thresholds():
    odd = (Odd(1, "dark", 0.1, 0.3), Odd(1, "size", 20.0, 100.0), Odd(2, "dark", 0.2, 0.3))
    traits = (Trait("gray", 3, 4), Trait("uniform", 5, 6, "sea"))
    rows = Rows(Row(kind="data", metric="files"))
    pictures.add_rows(rows, Quality(odd, traits, RANGES), collection([None] * 4))
    values = {row.metric: row.value for row in rows.rows if row.metric != "trait"}
    assert values == dict.fromkeys(quality.ISSUES, 0) | {"odd": 2, "dark": 2, "size": 1}
    details = {row.metric: row.detail for row in rows.rows}
    assert "below 30% of white" in details["dark"]
    assert "below 100 or above 900 px" in details["size"]
    assert [row.detail for row in rows.rows if row.metric == "trait"] == [
        "3 of 4 pictures are gray",
        "5 of 6 pictures of class sea are nearly uniform",
    ]


def test_the_oddest_of_each_issue_are_displayed():
    odd = tuple(Odd(row, "dark", 0.29 - row / 100, 0.3) for row in range(9))
    odd += (Odd(9, "size", 20.0, 100.0), Odd(9, "gray", 0.0, 3.0))
    selected = pictures.examples(Quality(odd, (), RANGES), collection([None] * 10))
    assert [row for row, _ in selected] == [8, 7, 6, 5, 4, 3, 9, 9]
    captions = [picture.caption for _, picture in selected]
    assert captions[0] == "brightness 21%" and captions[-2:] == ["640×480 px", ""]
