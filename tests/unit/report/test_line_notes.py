"""What stands under a name."""

from dataclasses import replace

import report_fixture as fixture

from imrep.report.findings import Findings
from imrep.report.line_notes import caution, line_notes
from imrep.results import OUTSIDE, Row

COMMON = {"kind": "cost", "metric": "ms", "value": 1.0, "role": "contender"}
VERDICT = Row(kind="verdict", metric="sentence", detail={"sentence": "unlabelled"}, folds=5)


def accuracy(spec, metric, value=None, **more):
    return Row(kind="accuracy", metric=metric, value=value, spec=spec, role="contender", **more)


def test_notes_name_what_is_special():
    rows = [
        Row(**COMMON, spec="a", S=224, fitted_on="fold", fingerprint="object-1"),
        Row(**COMMON, spec="b", S=64, fitted_on="all"),
        accuracy("b", "constant", 1, detail="constant in 2 of 5 folds"),
        VERDICT,
    ]
    findings = Findings(rows)
    assert line_notes(findings, "a") == (
        "read at 224 pixels, fitted in each fold, passed as an object"
    )
    assert line_notes(findings, "b") == (
        "fitted once on all, constant in 2 of 5 folds: the same code for every image"
    )


def test_the_budget_of_what_is_trained_is_stated():
    trained = replace(Row(**COMMON, spec="a"), metric="trained", detail="60 epochs", unit="flag")
    rows = [Row(**COMMON, spec="a", fitted_on="fold"), trained, VERDICT]
    assert line_notes(Findings(rows), "a") == "trained for 60 epochs in each fold"


def test_nothing_is_fitted_in_folds_where_there_are_none():
    rows = [Row(**COMMON, spec="a", fitted_on="fold"), replace(VERDICT, folds=0)]
    assert line_notes(Findings(rows), "a") == "fitted once on all"


def test_a_large_difference_to_the_linear_classifier_is_noted_with_its_number():
    rows = [VERDICT]
    for spec, here, alone in (("a", 0.68, 0.6), ("b", 0.6, 0.521), ("c", 0.5, 0.7)):
        rows += [accuracy(spec, "probe", here), accuracy(spec, "linear", alone)]
    findings = Findings(rows)
    assert line_notes(findings, "a") == "8 points above linear"
    assert line_notes(findings, "b") == ""
    assert line_notes(findings, "c") == "20 points below linear"


def test_roles_are_named():
    findings = Findings(fixture.rows(own=("dct",), together=True))
    assert line_notes(findings, "dct") == "recommended, your own vectors"
    assert caution(findings, "dct") == f"{OUTSIDE} Where a dash stands, the encoder is needed."
    assert caution(findings, "sift") == caution(findings, "noise") == ""
    assert line_notes(findings, "together") == "weighted combination, not ranked"
    assert line_notes(findings, "noise") == "control"


def test_a_sum_with_own_vectors_is_made_outside_too():
    more = {"metric": "bytes", "spec": "mine+hog", "role": "sum", "fitted_on": "outside"}
    assert caution(Findings([Row(**COMMON | more), VERDICT]), "mine+hog").startswith(OUTSIDE)
