"""The outcome of a comparison from its rows alone: table, verdict, notebook."""

import pytest

from imrep import results
from imrep.api.comparison import Comparison
from imrep.results import Row

VERDICT = {"text": "Use **hog** <now>.", "warnings": [], "notes": []}


def scores(spec, role="contender", **metrics):
    kinds = {"probe": "accuracy", "knn": "accuracy", "retrieval": "accuracy", "kept": "information",
             "moves": "stability", "ms": "cost", "bytes": "cost", "dimensions": "cost"}  # fmt: skip
    for metric, value in metrics.items():
        bounds = {"lo": value - 0.1, "hi": value + 0.1} if kinds[metric] == "accuracy" else {}
        yield Row(kind=kinds[metric], metric=metric, spec=spec, role=role, value=value, **bounds)


@pytest.fixture
def compared(tmp_path):
    """A comparison whose folder holds these rows."""

    def write(*rows, verdict=VERDICT, pick="hog"):
        every = [*rows, Row(kind="verdict", metric="sentence", spec=pick, detail=verdict),
                 Row(kind="data", metric="skipped", value=3)]  # fmt: skip
        results.write(tmp_path / results.FILENAME, every)
        return Comparison(tmp_path)

    return write


def test_the_table_has_the_best_first_and_combinations_last(compared):
    outcome = compared(
        *scores("dct", probe=0.5, knn=0.4, ms=1.0, bytes=40),
        *scores("hog", probe=0.75, kept=0.9, moves=0.2, ms=2.0, bytes=80, dimensions=20),
        *scores("a+b", "sum", probe=0.5, ms=3.0, bytes=9),
        *scores("together", "together", probe=0.8, ms=3.0, bytes=120),
        *scores("file size", "control", probe=0.99, ms=0.0, bytes=4),
    )
    table = outcome.table()
    assert [line["spec"] for line in table] == ["hog", "a+b", "dct", "together"]
    assert table[0] == {
        "spec": "hog", "role": "contender", "accuracy": 0.75, "lo": 0.65, "hi": 0.85, "kept": 0.9,
        "moves": 0.2, "ms": 2.0, "bytes": 80,
    }  # fmt: skip
    assert table[2]["knn"] == 0.4 and table[2]["hi"] == pytest.approx(0.6)


def test_without_labels_the_precision_of_retrieval_decides(compared):
    outcome = compared(
        *scores("dct", retrieval=0.5, bytes=4), *scores("hog", retrieval=0.9, ms=1.0, bytes=4)
    )
    assert [line["object"] for line in outcome.table()] == [0.9, 0.5]
    assert outcome.table()[0]["object_lo"] == pytest.approx(0.8)
    lines = repr(outcome).splitlines()
    assert " 90.0 % (80-100)" in lines[1] and "1.00 ms" in lines[1]
    assert " 50.0 % (40-60)" in lines[2] and " -  " in lines[2] and lines[2].endswith("4 bytes")


def test_the_verdict_is_read_from_its_row(compared):
    outcome = compared(
        Row(kind="failed", metric="weights", spec="cnn", role="contender", detail="run x"),
        Row(kind="failed", metric="extra", spec="dct", role="contender", detail="pip y"),
        Row(kind="failed", metric="error", spec="hog", role="contender", detail="too small"),
    )
    assert outcome.verdict == VERDICT and outcome.pick == "hog" and outcome.skipped == 3
    assert outcome.sentence == "Use hog <now>."
    assert outcome.absent == {"cnn": "run x", "dct": "pip y"}
    assert outcome.report == outcome.folder / "index.html"


def test_a_notebook_has_escaped_text_and_only_measured_columns(compared):
    page = compared(*scores("a<b", probe=0.123456, bytes=4), pick="")._repr_html_()
    assert "Use hog &lt;now&gt;." in page and "<td>a&lt;b</td>" in page and "<td>0.123</td>" in page
    assert "<th>accuracy</th>" in page and "knn" not in page and "object" not in page


def sized(kind, metric, size, value, spread=0.1):
    ends = {} if kind == "cost" else {"lo": value - spread, "hi": value + spread}
    return Row(
        kind=kind, metric=metric, detail=str(size), value=value, S=size, spec="hog",
        role="contender", **ends,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "name"), [("probe_size", "accuracy"), ("retrieval_size", "object")]
)
def test_by_size_has_a_line_for_each_size(compared, metric, name):
    outcome = compared(
        *(sized("cost", "ms_size", size, size / 10) for size in (32, 64)),
        *(sized("accuracy", metric, size, size / 100) for size in (32, 64)),
        sized("difference", "size", 32, -0.32),
    )
    small, own = outcome.by_size()
    assert small == {
        "spec": "hog", "size": 32, "ms": 3.2, name: 0.32, "lo": pytest.approx(0.22),
        "hi": pytest.approx(0.42), "gain": -0.32, "gain_lo": pytest.approx(-0.42),
        "gain_hi": pytest.approx(-0.22),
    }  # fmt: skip
    assert own["size"] == 64 and "gain" not in own
    assert compared(*scores("hog", probe=0.5)).by_size() == []


def test_suspects_are_those_of_the_list(compared):
    outcome = compared(*scores("hog", probe=0.5))
    assert outcome.suspects() == []
    (outcome.folder / results.SUSPECTS).write_text(
        'path,label,seen_as,p\n"a,b.png",cat,dog,0.0125\n', encoding="utf-8"
    )
    assert outcome.suspects() == [
        {"path": "a,b.png", "label": "cat", "seen_as": "dog", "p": 0.0125}
    ]
