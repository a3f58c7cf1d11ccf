"""What `--save` does, and when it saves nothing."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.output import saving
from imrep.comparison.output.saving import Saving, save, save_commands
from imrep.comparison.settings import Inputs, Settings
from imrep.datasets import Request
from imrep.errors import BadData, BadParameter
from imrep.images import Reading


def silent(*_):
    pass


@pytest.fixture
def classifiers(monkeypatch):
    """A function that makes classifiers that are saved as a file."""
    monkeypatch.setattr(saving.saved, "write", lambda fitted, folder: folder.mkdir())

    def make(pick="hog", reason="", left_out=(), error=None):
        def fit(which):
            if error:
                raise error
            return SimpleNamespace(spec=which or pick, images=1_200)

        return SimpleNamespace(
            pick=pick, reason=reason, names=["dct", "hog"], left_out=left_out, fit=fit
        )

    return make


def test_nothing_is_saved_unasked(classifiers):
    assert save(classifiers(), None, "", silent) == Saving(None, "")


def test_the_pick_is_saved_or_the_one_that_is_named(classifiers, tmp_path):
    found = save(classifiers(), tmp_path / "a", "", silent)
    assert found.folder == tmp_path / "a"
    assert found.text == (
        f"{tmp_path}/a/ has hog, fitted to 1,200 images; it holds their vectors, no image and no "
        "path."
    )
    assert "has dct" in save(classifiers(left_out=["x", "y"]), tmp_path / "b", "dct", silent).text
    third = save(classifiers(left_out=["x", "y"]), tmp_path / "c", "", silent).text
    assert third.endswith("It does not know x, y, which could not be tested.")


def test_without_a_pick_the_reason_is_said(classifiers, tmp_path):
    undecided = classifiers("", "there are too few images to decide.")
    found = save(undecided, tmp_path / "m", "", silent)
    assert found == Saving(
        None,
        f"Nothing was saved in {tmp_path}/m/: there are too few images to decide. Name one to save "
        "it all the same: --save-which dct.",
    )
    assert save(undecided, tmp_path / "m", "hog", silent).folder == tmp_path / "m"
    unlabelled = save(None, tmp_path / "n", "", silent)
    assert unlabelled.text.endswith("there are no classes, numbers or labels to predict.")


def test_an_earlier_classifier_stays_and_is_mentioned(classifiers, tmp_path):
    for name in ("model.json", ".imrep"):
        (tmp_path / name).touch()
    found = save(classifiers("", "something leaks the labels."), tmp_path, "", silent)
    assert found.text.endswith("The model there is an earlier one.")


@pytest.mark.parametrize("error", [BadData("equal."), BadParameter("no object.")])
def test_the_report_survives_what_cannot_be_saved(classifiers, tmp_path, error):
    found = save(classifiers(error=error), tmp_path / "m", "", silent)
    assert found == Saving(None, f"Nothing was saved in {tmp_path}/m/: {error}")


@pytest.mark.parametrize(
    ("inputs", "settings", "expected"),
    [
        ({}, {}, "imrep compare --save model/"),
        ({"data": "my photos"}, {}, "imrep compare 'my photos' --save model/"),
        (
            {"data": "p", "specs": ("hog", "mine+hog"), "vectors": {"mine": Path("v.npz")},
             "groups": Path("g.csv"), "max_images": 50},
            {"size": 32, "seed": 3, "margin": 1.5, "reading": Reading(data_range=(0, 4095))},
            "imrep compare p -r hog -r mine+hog --vectors mine=v.npz --groups g.csv --max-images "
            "50 --size 32 --margin 1.5 --seed 3 --data-range 0,4095 --save model/",
        ),
        (
            {"data": "p"},
            {"reading": Reading(max_pixels=10**9)},
            "imrep compare p --max-pixels 1000000000 --save model/",
        ),
        ({"data": "p"}, {"cues": False}, "imrep compare p --no-cues --save model/"),
        (
            {"data": "p", "same_object": Path("o.csv")},
            {"out": Path("of p"), "sizes": (32, 128)},
            "imrep compare p --out 'of p' --same-object o.csv --sizes 32,128 --save model/",
        ),
        ({"data": ("a", "b")}, {}, ""),
        ({"data": "-"}, {}, ""),
        ({"data": "p", "specs": (len,)}, {}, ""),
        ({"data": "p", "vectors": {"mine": np.zeros((2, 2))}}, {}, ""),
        ({"data": "p", "groups": {"a": "b"}}, {}, ""),
        ({"data": "p", "same_object": {"a": "b"}}, {}, ""),
    ],
)  # fmt: skip
def test_the_commands_repeat_the_comparison_and_predict(inputs, settings, expected):
    predict = "\nimrep predict model/ new/ -o answers.csv" if expected else ""
    assert save_commands(Inputs(**inputs), Settings(**settings)) == expected + predict


def test_the_commands_name_the_folder_that_was_saved_to():
    lines = save_commands(Inputs(data="p"), Settings(save=Path("my model"))).splitlines()
    assert lines == [
        "imrep compare p --save 'my model'",
        "imrep predict 'my model' new/ -o answers.csv",
    ]


def test_the_command_names_the_target():
    inputs = Inputs(data="cars.csv", target=Request("price", "value"))
    line = save_commands(inputs, Settings(log=True)).splitlines()[0]
    assert line == "imrep compare cars.csv --target price --as value --log --save model/"
