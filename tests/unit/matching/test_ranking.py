"""The verdict and the table of a ranking, from figures alone."""

import csv
import io
import math

import pytest
import torch

from imrep.matching import ranking
from imrep.matching.match import Match
from imrep.matching.ranking import Ranked, Ranking

CORNERS = ((0.0, 0.5), (10.25, 0.0), (10.0, 7.0), (-1.5, 1e6))


def ranked(path, inliers, chance=3, outline=None):
    return Ranked(path, inliers, 2 * inliers, chance, outline)


def ranking_of(*rows):
    return Ranking(None, rows, (), None, 0, 0.0)


@pytest.mark.parametrize(
    ("inliers", "chance", "is_match"),
    [(9, 0, False), (10, 0, True), (10, 9, True), (10, 10, False), (14, 13, True)],
)
def test_a_match_has_ten_inliers_and_more_than_chance(inliers, chance, is_match):
    assert ranked("a", inliers, chance).is_match is is_match
    row = ranking_of(ranked("a", inliers, chance))
    assert row.matches == is_match


def test_the_sentence_counts_matches_among_images():
    rows = [ranked("b.png", 40), ranked("a.png", 12), ranked("c.png", 2)]
    assert ranking_of(*rows).sentence == "Found in 2 of 3 pictures, surest in b.png."
    assert ranking_of(rows[0]).sentence == "Found in 1 of 1 picture, surest in b.png."
    assert ranking_of(ranked("c.png", 9, 11)).sentence == (
        "Found in none of 1 picture; the nearest, c.png, has 9 inliers, at least 12 are needed."
    )


def test_the_table_is_read_back_whatever_the_names():
    rows = [ranked('a, "b"\n.png', 40, outline=CORNERS), ranked("ä.png", 2)]
    lines = list(csv.DictReader(io.StringIO(ranking._text(rows), newline="")))
    assert [line["path"] for line in lines] == ['a, "b"\n.png', "ä.png"]
    assert [line["found"] for line in lines] == ["yes", "no"]
    assert lines[1]["outline"] == "" and [line["pairs"] for line in lines] == ["80", "4"]
    corners = [tuple(map(float, corner.split())) for corner in lines[0]["outline"].split(", ")]
    assert corners == list(CORNERS)


def test_the_figures_of_a_match_are_numbers_with_nan_for_no_outline():
    points = torch.arange(24.0).reshape(12, 2).double()
    matched = Match(points, points, torch.ones(12).bool(), torch.eye(3).double(), ((8, 9), (8, 9)),
                  (20, 30), 5)  # fmt: skip
    assert ranking._figures(matched)[:3] == [12, 12, 5]
    assert ranking._figures(matched)[3:] == [-0.5, -0.5, 8.5, -0.5, 8.5, 7.5, -0.5, 7.5]
    lost = Match(points, points, torch.zeros(12).bool(), None, ((8, 9), (8, 9)), (20, 30), 5)
    assert ranking._figures(lost)[:3] == [0, 12, 5]
    assert all(map(math.isnan, ranking._figures(lost)[3:]))


def test_everything_that_changes_a_figure_changes_the_key_of_an_interrupted_run():
    import imrep
    from imrep.datasets import Item
    from imrep.datasets.sources import Refused

    query, rep, settings = torch.rand(1, 3, 8, 8), imrep.get("corner"), ranking.Settings()
    items = [Item("a.png", source=Refused("x"))]
    keys = [
        ranking._key(*arguments)
        for arguments in (
            (query, items, rep, settings),
            (query + 0.1, items, rep, settings),
            (query.reshape(1, 3, 4, 16), items, rep, settings),
            (query, [Item("b.png", source=Refused("x"))], rep, settings),
            (query, [Item("a.png", source=Refused("y"))], rep, settings),
            (query, items, imrep.get("blob"), settings),
            (query, items, rep, ranking.Settings(longest=None)),
            (query, items, rep, ranking.Settings(ratio=0.7)),
            (query, items, rep, ranking.Settings(within=2.0)),
        )
    ]
    assert all(first != second for i, first in enumerate(keys) for second in keys[:i])
    same = ranking.Settings(threads=7)
    assert ranking._key(query.clone(), list(items), imrep.get("corner"), same) == keys[0]
