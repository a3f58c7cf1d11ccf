"""Sentences on curves that would cross: a number with its interval, or that it cannot be told."""

import report_fixture as fixture

from imrep.report import crossings
from imrep.report.findings import Findings


def test_a_crossing_has_its_interval_and_the_others_are_named_together():
    findings = Findings(fixture.rows("clear"))
    first, last = crossings.sentences(findings)
    told = next(
        row for row in findings.rows if row.metric == "probe_crossing" and row.value is not None
    )
    assert first.startswith(f"**{findings.short[told.spec]}** would overtake")
    assert "about 96 labelled images per class (95% interval 38 to 410)" in first
    assert "cannot be told from" in last
    assert f"{findings.meta.n:,} images" in last


def test_without_curves_there_is_nothing_to_say():
    rows = [row for row in fixture.rows("clear") if row.metric != "probe_crossing"]
    assert crossings.sentences(Findings(rows)) == []
