"""The rows of a run, looked up and named."""

import report_fixture as fixture

from imrep.report.findings import Findings
from imrep.results import Row


def test_contenders_are_ordered_by_accuracy_and_the_failed_left_out():
    findings = Findings(fixture.rows(failed=[("hog", "error", "x")]))
    accuracy = [findings.value("accuracy", "probe", spec) for spec in findings.contenders]
    assert accuracy == sorted(accuracy, reverse=True)
    assert "hog" not in findings.contenders


def test_standings_are_those_of_the_verdict():
    findings = Findings(fixture.rows("tied"))
    found = {spec: findings.standing(spec) for spec in ("dct", "scattering", "hog", "noise")}
    assert found == {"dct": "pick", "scattering": "tied", "hog": "other", "noise": "control"}
    assert Findings(fixture.rows("noise")).standing("dct") == "other"


def test_what_is_missing_is_none_or_empty():
    findings = Findings(fixture.rows("nothing"))
    assert findings.row("cost", "ms", "unknown") is None
    assert findings.value("cost", "ms", "unknown") is None
    assert findings.details("accuracy", "recall") == [] == findings.measured("accuracy", "probe")
    assert (findings.measure, findings.labelled, findings.guess) == ("", False, None)
    assert findings.pick == findings.leader == ""


def test_details_keep_their_order_and_measured_that_of_the_table():
    findings = Findings(fixture.rows(sizes=True))
    assert findings.details("stability", "move") == list(fixture.PERTURBATIONS)
    assert findings.details("cost", "ms_size", "hog") == ["32", "64", "128"]
    assert findings.measured("cost", "fit_s") == ["sift"]
    assert findings.measured("cost", "ms") == findings.contenders
    assert findings.sizes == [64]


def test_objects_are_ranked_by_retrieval():
    rows = fixture.rows("unlabelled")
    rows += [
        Row(kind="accuracy", metric="retrieval", value=v, spec=s, role="contender")
        for s, v in (("hog", 0.9), ("dct", 0.4))
    ]
    findings = Findings(rows)
    assert findings.measure == "retrieval" and not findings.labelled
    assert findings.score == "mean average precision"
    assert findings.contenders[:2] == ["hog", "dct"]


def test_a_verdict_of_an_older_run_has_empty_values_for_what_it_lacks():
    row = Row(kind="verdict", metric="sentence", detail={"sentence": "one"})
    verdict = Findings([row]).verdict
    assert verdict["sentence"] == "one" and verdict["leader"] == "" and verdict["q"] is None
    assert Findings([row]).pick_note == "the only one"
    assert Findings([Row(kind="verdict", metric="sentence")]).verdict["warnings"] == ()


def test_vectors_of_the_user_are_ranked_and_combinations_are_not():
    findings = Findings(fixture.rows(own=("sift", "dct"), together=True))
    assert findings.own == {"sift", "dct"}
    assert set(findings.contenders) == set(fixture.SPECS)
    assert findings.combined == ["together"] and "together" in findings.short
    assert findings.standing("together") == "together" and findings.standing("dct") == "pick"


def test_the_demonstration_is_known_by_its_name():
    assert Findings(fixture.rows(name="built-in photographs")).demonstration
    assert not Findings(fixture.rows(name="photographs")).demonstration
