"""The page's section on odd images: counts, criteria, and a few of each issue."""

import numpy as np
import report_fixture as fixture

from imrep.assets import Assets, OddPicture
from imrep.report.findings import Findings
from imrep.report.quality import quality
from imrep.results import Row


def test_results_without_it_have_no_section():
    assert quality(Findings(fixture.rows()), Assets()) is None


def test_each_issue_has_its_count_criterion_and_images():
    odd = [OddPicture("a.png", "dark", "brightness 3%"), OddPicture("b.png", "gray", "")]
    assets = Assets(odd=odd, odd_tiles=np.zeros((2, 8, 8, 3), np.uint8))
    rows = [
        Row(kind="pictures", metric="odd", value=2),
        Row(kind="pictures", metric="dark", value=1, detail="below 30%"),
        Row(kind="pictures", metric="gray", value=1, detail="no colour"),
        Row(kind="pictures", metric="trait", value=5, detail="5 of 9 pictures are bright"),
    ]
    found = quality(Findings([*rows, *fixture.rows()]), assets)
    assert found is not None
    assert (found.count, found.traits) == (2, ["5 of 9 pictures are bright"])
    assert [(issue.title, issue.count, issue.criterion) for issue in found.issues] == [
        ("Too dark", 1, "below 30%"),
        ("Gray among colour", 1, "no colour"),
    ]
    assert [issue.examples for issue in found.issues] == [[(0, odd[0])], [(1, odd[1])]]
