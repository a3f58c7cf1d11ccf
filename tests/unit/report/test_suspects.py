"""The sections on single images: their captions, and when there are none."""

import pytest
import report_fixture as fixture

from imrep.assets import Assets, Remark
from imrep.report import suspects
from imrep.report.findings import Findings


def remark(p, label="cat", other="dog"):
    return Remark("a.png", label, other, p)


@pytest.mark.parametrize(
    ("section", "p", "caption"),
    [
        ("suspects", 0.001, "**cat**? seen as **dog**, its label below 1%"),
        ("suspects", 0.07, "**cat**? seen as **dog**, its label 7%"),
        ("hardest", 0.48, "**cat** or dog, 48%"),
        ("typical", 0.999, "**cat**, above 99%"),
        ("confused", 0.62, "**cat**, dog 62%"),
    ],
)
def test_captions(section, p, caption):
    assert suspects._caption(section, remark(p)) == caption


def test_tiles_are_numbered_through_all_sections():
    assets = fixture.assets(count=120, suspects=10)
    content = suspects.looked_at(Findings(fixture.rows(suspects=60)), assets)
    assert content.text.startswith("**60 labels to check**") and content.listed == 60
    sections = (content.suspects, content.hardest, content.typical, content.confused)
    assert [image.tile for own in sections for image in own] == list(range(26))
    assert content.pair == ("brick", "grass")


def test_where_nothing_was_judged_there_is_nothing():
    assert suspects.looked_at(Findings(fixture.rows()), Assets()) is None


def test_a_list_may_be_empty():
    content = suspects.looked_at(Findings(fixture.rows(suspects=1)), Assets())
    assert content.suspects == [] and content.pair == ()
