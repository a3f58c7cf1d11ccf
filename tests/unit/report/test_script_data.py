"""What the script is given: the map on one scale, the pick, the variance in words."""

import dataclasses

import numpy as np
import pytest
import report_fixture as fixture

from imrep.report.findings import Findings
from imrep.report.script_data import script_data

FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "hog")}


def test_the_map_keeps_its_shape():
    assets = fixture.assets(specs=FEW, count=12)
    spots = np.random.default_rng(0).normal(size=(12, 2)) * [5, 1] + 3
    assets = dataclasses.replace(assets, maps={"dct": spots})
    data = script_data(Findings(fixture.rows(specs=FEW)), assets, [])
    drawn = np.array(data["neighbours"][0]["map"])
    assert np.abs(drawn).max() == 1
    ratio = np.ptp(drawn, 0) / np.ptp(spots, 0)
    assert ratio[0] == pytest.approx(ratio[1], rel=0.01)
    assert data["neighbours"][1]["map"] == []


def test_it_opens_on_the_pick_and_says_the_variance():
    data = script_data(Findings(fixture.rows(specs=FEW)), fixture.assets(specs=FEW, count=12), [])
    assert data["pick"] == "dct"
    assert data["neighbours"][0]["variance"] == "38% (25% and 13%)"


def test_an_older_run_has_no_variance_and_one_point_is_a_map():
    assets = fixture.assets(specs=FEW, count=12)
    older = dataclasses.replace(assets, variances={}, maps={"dct": np.ones((12, 2))})
    views = script_data(Findings(fixture.rows(specs=FEW)), older, [])["neighbours"]
    assert views[0]["variance"] == "" and views[0]["map"] == [[0, 0]] * 12
