"""One measured number a row: what goes in comes out, and nothing else gets in."""

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep import results
from imrep.errors import BadData
from imrep.results import METRICS, ROLES, UNITS, Row

_number = st.none() | st.floats(allow_nan=False, allow_infinity=False)
_metric = st.sampled_from([(kind, metric) for kind, names in METRICS.items() for metric in names])
_text = st.text(max_size=20)


@st.composite
def rows(draw):
    kind, metric = draw(_metric)
    detail = draw(_text | st.dictionaries(_text, _text, max_size=3))
    return Row(
        kind=kind,
        metric=metric,
        detail=detail,
        spec=draw(_text),
        role=draw(st.sampled_from(ROLES)),
        unit=draw(st.sampled_from(UNITS)),
        value=draw(_number),
        lo=draw(_number),
        hi=draw(_number),
        versions=draw(st.dictionaries(_text, _text, max_size=2)),
    )


@given(rows())
def test_a_row_survives_its_line(row):
    line = row.to_json()
    assert "\n" not in line
    assert Row.from_json(line) == row


def test_fields_are_those_of_the_protocol_in_its_order():
    written = (
        "run time protocol data data_name n classes groups S seed folds spec fingerprint role "
    )
    written += "fitted_on kind metric detail value lo hi unit threads cpu versions"
    assert " ".join(f.name for f in fields(Row)) == written


def test_the_table_of_the_docstring_is_the_one_that_is_checked():
    written = {kind: [] for kind in METRICS}
    kind = ""
    for line in results.__doc__.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and set(cells[0]) != {"-"} and cells[0] != "kind":
            kind = cells[0] or kind
            written[kind] += cells[1].split(", ")
    assert {kind: tuple(names) for kind, names in written.items()} == METRICS


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float32("nan")])
def test_a_score_that_is_no_number_is_refused_by_name(bad):
    with pytest.raises(BadData, match=r"hog accuracy.probe needs a finite value"):
        Row(spec="hog", kind="accuracy", metric="probe", value=bad)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "acuracy"}, "got acuracy.probe"),
        ({"metric": "move"}, "got accuracy.move"),
        ({"role": "judge"}, "role of: contender, control, sum, own, together; got 'judge'"),
        ({"unit": "%"}, "got '%'"),
    ],
)
def test_unknown_words_are_refused_with_the_vocabulary(change, said):
    with pytest.raises(BadData, match=said):
        Row(**{"kind": "accuracy", "metric": "probe", **change})


def test_numpy_numbers_are_written_as_numbers():
    row = Row(kind="accuracy", metric="knn", value=np.float32(0.5), n=np.int64(7))
    assert json.loads(row.to_json())["value"] == 0.5
    assert json.loads(row.to_json())["n"] == 7


def test_a_file_is_what_was_written_and_leaves_no_other(tmp_path):
    rows = [Row(kind="cost", metric="ms", value=v / 3, spec="größe\n") for v in range(5)]
    results.write(tmp_path / "results.jsonl", rows)
    assert results.read(tmp_path / "results.jsonl") == rows
    assert [p.name for p in tmp_path.iterdir()] == ["results.jsonl"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "results.jsonl"
    results.write(path, [Row(kind="cost", metric="ms", value=1)])

    def interrupted():
        yield Row(kind="cost", metric="ms", value=2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.write(path, interrupted())
    assert [row.value for row in results.read(path)] == [1]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"kind": "cost"}', '{"kind":"cost","metric":"ms","x":1}']
)
def test_a_broken_line_is_named(tmp_path, line):
    (tmp_path / "results.jsonl").write_text(line)
    with pytest.raises(BadData, match="needs one JSON object per line"):
        results.read(tmp_path / "results.jsonl")


def test_no_file_says_what_to_run(tmp_path):
    with pytest.raises(BadData, match="Run imrep compare first"):
        results.read(tmp_path / "results.jsonl")
