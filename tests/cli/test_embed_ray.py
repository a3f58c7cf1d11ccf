"""`imrep embed -o x.lance --engine ray` as a process."""

import json
from pathlib import Path

import pytest

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "v.parquet", "--engine", "ray"), "--engine ray is for a store, got v.parquet."),
        (("-o", "s.lance", "--workers", 2), "--workers and --ray-address need --engine ray."),
    ],
)
def test_workers_without_a_store_or_an_engine_are_refused(inside, photos, options, message):
    assert message in inside("embed", photos, "hog", *options, expect=2).stderr


@pytest.mark.slow
def test_the_command_on_two_workers_and_again(imrep, photos, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed: pip install 'imrep[ray]'")
    before = set(Path("/tmp").glob("imrep-*"))
    command = ("embed", photos.name, "hog", "-o", "s.lance", "--engine", "ray", "--workers", 2)
    done = imrep(*command, "--json", "-q", cwd=tmp_path)
    facts = json.loads(done.stdout)
    assert (facts["rows"], facts["embedded"], len(facts["skipped"])) == (12, 12, 1)
    assert done.stderr == ""
    again = imrep("embed", photos.name, "hog", "-o", "s.lance", "--json", "-q", cwd=tmp_path)
    assert json.loads(again.stdout)["embedded"] == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"photos", "s.lance", "s.lance.skipped.csv"}
    assert set(Path("/tmp").glob("imrep-*")) <= before


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_refused_in_one_line(imrep, photos, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed: pip install 'imrep[ray]'")
    command = ("embed", "photos", "hog", "-o", "s.lance", "--engine", "ray", "-q")
    error = imrep(*command, "--ray-address", "127.0.0.1:9", expect=1, cwd=tmp_path).stderr
    assert error.count("\n") == 1 and "127.0.0.1:9" in error
