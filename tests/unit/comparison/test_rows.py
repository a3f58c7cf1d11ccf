"""Rows have the shared fields of the run and those of their candidate."""

from types import SimpleNamespace

import pytest

from imrep.comparison.output import notes
from imrep.comparison.output.rows import Rows, started
from imrep.comparison.settings import Inputs
from imrep.errors import BadData


def encoded(spec="hog", side=64):
    candidate = SimpleNamespace(fingerprint="f00", role="contender")
    return SimpleNamespace(spec=spec, candidate=candidate, fitted_on="fold", side=side)


def test_a_number_about_the_data_has_no_spec():
    rows = Rows(started())
    rows.add("data.class", 3, "images", detail="cat")
    (row,) = rows.rows
    assert (row.kind, row.metric, row.detail, row.value) == ("data", "class", "cat", 3)
    assert (row.spec, row.role, row.fingerprint) == ("", "", "")
    assert row.versions.keys() >= {"imrep", "torch"}
    assert row.cpu


def test_a_number_about_a_candidate_has_its_size():
    rows = Rows(started())
    rows.add_for(encoded(side=224), "accuracy.probe", 0.5, "share", lo=0.4, hi=0.6)
    rows.add_for(encoded(side=224), "verdict.sentence", 0.5, "share", size=64)
    first, second = rows.rows
    assert (first.spec, first.role, first.fingerprint) == ("hog", "contender", "f00")
    assert (first.lo, first.hi, first.fitted_on) == (0.4, 0.6, "fold")
    assert (first.S, second.S) == (224, 64)


def test_rows_outside_the_table_are_refused():
    with pytest.raises(BadData, match="kind and metric"):
        Rows(started()).add("accuracy.best", 1, "share")


@pytest.mark.parametrize(
    ("data", "spec", "fixed", "command"),
    [
        ("photos", "dct", False, "imrep embed photos dct --size 64 -o vectors.parquet"),
        ("my photos", "vit", True, "imrep embed 'my photos' vit -o vectors.parquet"),
        ("photos", "", False, ""),
        (None, "dct", False, ""),
    ],
)
def test_the_command_that_repeats_the_vectors(data, spec, fixed, command):
    candidate = SimpleNamespace(rebuild_spec=spec, fixed_size=fixed)
    assert notes.embed_command(Inputs(data=data).command_data, candidate, 64) == command


def test_the_command_names_the_pick_where_it_is_saved():
    candidate = SimpleNamespace(rebuild_spec="sift", fixed_size=False)
    command = notes.embed_command("photos", candidate, 64, "report/pick")
    assert command == "imrep embed photos report/pick --size 64 -o vectors.parquet"
    assert notes.embed_command(None, candidate, 64, "report/pick") == ""
