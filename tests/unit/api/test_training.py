"""`imrep.train`: images in memory or in folders become a model, and wrong requests one line."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_denoiser import Tiny
from training_fixture import NEEDS_LIGHTNING

import imrep
from imrep.api import training
from imrep.api.training_request import Request
from imrep.errors import BadData, BadParameter, Busy, UnknownName
from imrep.io.output_folder import claimed

pytestmark = NEEDS_LIGHTNING


def pictures(count=24, side=16):
    return np.random.default_rng(0).random((count, side, side, 3))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "run"
    data = (pictures(), ["a", "b"] * 12)
    return imrep.train(data, Tiny(), out, steps=6, held_out=0.25)


def test_it_returns_the_model_and_what_became_of_it(finished):
    assert finished.run.facts["trained"] == 18 and finished.run.facts["held_out"] == 6
    assert finished.run.facts["classes"] == 2
    log = finished.log()
    assert log[0]["step"] == 0 and log[-1]["step"] == 6 and log[0]["loss"] is None
    assert finished.held_out_loss == min(x["held_out"] for x in log if x["held_out"] is not None)
    assert repr(finished).startswith("Training(tiny, 6 steps, held-out loss ")
    assert not finished.representation.training


def test_the_saved_model_is_the_returned_one(finished):
    image = torch.rand(1, 3, 16, 16)
    again = Tiny().load_weights(finished.model).eval()
    assert torch.equal(again.embed(image), finished.representation.embed(image))


def test_the_held_out_images_are_listed(finished):
    with (finished.folder / "held_out.csv").open() as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    assert len(paths) == 6 and set(paths) < {f"{i:06}" for i in range(24)}


def test_the_log_is_a_data_frame(finished):
    pytest.importorskip("pandas")
    assert list(finished.to_pandas()["step"]) == [x["step"] for x in finished.log()]


def test_images_of_a_group_are_held_out_together(tmp_path):
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    for i, pixels in enumerate(pictures(12)):
        Image.fromarray(np.uint8(255 * pixels)).save(folder / f"{i:02}.png")
    lines = ["path,group", *(f"{i:02}.png,{i // 3}" for i in range(12))]
    (tmp_path / "groups.csv").write_text("\n".join(lines))
    request = Request(groups=tmp_path / "groups.csv", held_out=0.25, out=tmp_path / "d")
    dataset = training.find(folder, Tiny(), request)
    job = training.prepare(dataset, Tiny(), request, lambda *_: None)
    assert len(job.held_out) == 3 and len({i // 3 for i in job.held_out.tolist()}) == 1


@pytest.mark.parametrize(
    ("named", "error", "message"),
    [
        ({"steps": 3, "epochs": 2}, BadParameter, "train needs one length, got steps and epochs."),
        ({"size": 0}, BadParameter, "Set crop=64, or a size."),
        ({"augment": "flop"}, BadParameter, "got 'flop'. Did you mean 'flip'?"),
        ({"held_out": 0.0}, BadParameter, "held_out between 0 and 1, got 0.0."),
        (
            {"optimiser": "lion"},
            BadParameter,
            "one of sgd, adam, adamw, got 'lion'",
        ),
        ({"batch": 0}, BadParameter, "train needs batch from 1 to"),
        ({"crop": 4}, BadParameter, "train needs the side of its images of at least 8, got 4."),
        ({"seed": -1}, BadParameter, "train needs seed from 0 to"),
        ({"precision": "8"}, BadParameter, "precision to be one of 32, bf16, 16, got '8'"),
        ({"minutes": 1, "devices": 2}, BadParameter, "train measures minutes on one process"),
        ({"representation": "hog"}, BadParameter, "that learns from a loss, got hog."),
        ({"representation": "hog+pixels"}, BadParameter, "got the sum hog+pixels."),
        ({"representation": "daee"}, UnknownName, "no representation is called 'daee'"),
        ({"data": None}, BadData, "train needs a path, images, or (images, labels), got None."),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, named, error, message):
    arguments = {"data": pictures(), "representation": Tiny(), "out": tmp_path / "d", **named}
    with pytest.raises(error) as caught:
        imrep.train(**arguments)
    assert message in str(caught.value)
    assert not (tmp_path / "d").exists()


class Sorting(Tiny):
    """Needs classes."""

    name = "tiny"
    reads_labels = True


@pytest.mark.parametrize("labels", [None, ["a"] * 24])
def test_one_class_is_refused_where_the_loss_needs_two(tmp_path, labels):
    data = pictures() if labels is None else (pictures(), labels)
    with pytest.raises(BadData, match="tiny needs images of two classes or more, got "):
        imrep.train(data, Sorting(), tmp_path / "d")


def test_two_runs_do_not_write_one_folder(tmp_path):
    with claimed(tmp_path / "d", "train"), pytest.raises(Busy, match="another run"):
        imrep.train(pictures(), Tiny(), tmp_path / "d", steps=2)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadData, match="train needs a folder of its own"):
        imrep.train(pictures(), Tiny(), tmp_path, steps=2)


def test_the_representation_of_the_documentation_is_trained(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "pages" / "train.md"
    (code,) = re.findall(r"```python\n(import torch.*?)```", page.read_text(), re.DOTALL)
    namespace = {"__name__": "sketch"}
    exec(compile(code, "train.md", "exec"), namespace)
    sketch = namespace["Sketch"]()
    finished = imrep.train(pictures(side=64), sketch, tmp_path / "d", steps=3)
    assert finished.run.captions == ("image", "from its code")
    assert finished.log()[-1]["held_out"] < finished.log()[0]["held_out"]
