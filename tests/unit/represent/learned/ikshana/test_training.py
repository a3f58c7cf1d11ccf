"""Training from masks: what a batch holds, what is measured, and runs that are cut off."""

import numpy as np
import pytest
import torch
from PIL import Image
from training_fixture import NEEDS_LIGHTNING

import imrep
from imrep.api import training
from imrep.api.training_request import Request
from imrep.base import Change
from imrep.errors import BadData
from imrep.represent.learned.ikshana import Ikshana
from imrep.represent.learned.ikshana.training import class_weights, evaluation

NAMES = ("floor tile", "square", "void")


class PowerCutError(Exception):
    """Ends a run at a step, as a crash would."""


def silent(*_):
    """No progress."""


def cut(line, steps):
    if line.step == 3:
        raise PowerCutError


@pytest.fixture
def folder(tmp_path):
    """Twelve images with a bright square, their masks, and the names of the classes."""
    root, dice = tmp_path / "squares", np.random.default_rng(0)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    lines = [f"{i},{name},{50 * i},90,90" for i, name in enumerate(NAMES)]
    (root / "classes.csv").write_text("\n".join(["id,name,r,g,b", *lines]))
    for i in range(12):
        image, mask = dice.integers(90, size=(36, 48, 3), dtype=np.uint8), np.zeros((36, 48), "u1")
        y, x = dice.integers(20, size=2)
        image[y : y + 14, x : x + 14] += 150
        mask[y : y + 14, x : x + 14] = 1
        mask[:2] = 2
        Image.fromarray(image).save(root / "images" / f"{i}.png")
        Image.fromarray(mask).save(root / "masks" / f"{i}.png")
    return root


def request(out, **more):
    return Request(out=out, held_out=0.3, steps=6, batch=4, size=24, **more)


SPEC = "ikshana:variant=2S-1G"


def prepared(folder, out, spec=SPEC, **more):
    asked = request(out, **more)
    return training.prepare(training.find(str(folder), spec, asked), spec, asked, silent)


@NEEDS_LIGHTNING
def test_a_run_that_is_cut_off_ends_like_an_unbroken_one(folder, tmp_path):
    def run(name, watch, **more):
        asked = request(tmp_path / name, **more)
        return training.run(training.find(str(folder), SPEC, asked), SPEC, asked, silent, watch)

    unbroken = run("unbroken", silent)
    with pytest.raises(PowerCutError):
        run("resumed", cut)
    resumed = run("resumed", silent, resume=True)
    states = [each.representation.state_dict().values() for each in (unbroken, resumed)]
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))
    assert resumed.evaluation == unbroken.evaluation
    assert set(resumed.evaluation) == {"mean IoU", "pixel accuracy"}
    assert resumed.run.captions == ("image", "truth", "prediction")
    page = resumed.report.read_text()
    assert "IoU by class" in page and "floor tile" in page and "Confusion: percent" in page
    again = imrep.get(f"ikshana:weights={resumed.model}")
    assert (again.classes, again.labels, again.trained_side) == (3, NAMES, 24)
    assert again.colours == ((0, 90, 90), (50, 90, 90), (100, 90, 90))
    image = torch.rand(1, 3, 24, 30)
    torch.testing.assert_close(again.segment(image), resumed.representation.segment(image))


def test_a_batch_holds_images_and_masks_that_agree(folder, tmp_path):
    job = prepared(folder, tmp_path / "run")
    loading = job.rep.training_examples(job.data)
    for row in range(4):
        torch.manual_seed(row)
        for example in (
            loading.random(row, Change(("crop", "flip"), 16)),
            loading.plain(row, 24),
        ):
            bright, mask = example["image"].float().mean(0) > 115, example["mask"]
            labelled = mask >= 0
            assert (bright == (mask == 1))[labelled].float().mean() > 0.8  # antialiased borders
    assert set(example["mask"].unique().tolist()) == {-1, 0, 1}


def test_class_weights_are_those_of_all_masks(folder, tmp_path):
    job = prepared(folder, tmp_path / "run", f"{SPEC},class_weights=median")
    assert job.loading is job.loading
    weights, own = job.rep._class_weights, job.data.annotations
    torch.testing.assert_close(weights, class_weights(own))
    frequency = own.pixels.sum(0)[:2] / own.pixels.sum()
    expected = np.median(frequency) / frequency
    np.testing.assert_allclose(weights.numpy(), [*expected, 0], rtol=1e-6)


def test_masks_of_other_classes_than_the_weights_are_refused(folder, tmp_path):
    job = prepared(folder, tmp_path / "run", Ikshana(variant="2S-1G", weights="random", classes=9))
    with pytest.raises(BadData, match=r"ikshana needs masks of 9 classes, got 3\. Train from"):
        job.loading  # noqa: B018


def test_a_wrong_mask_is_refused_before_the_training(folder, tmp_path):
    Image.new("L", (48, 36), 7).save(folder / "masks" / "4.png")
    with pytest.raises(BadData, match=r"masks/4\.png needs the classes of classes\.csv, 0 to 2"):
        training.find(str(folder), SPEC, request(tmp_path / "run"))


def test_tables_hold_what_the_matrix_says():
    matrix = torch.tensor([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    measured = evaluation(matrix, NAMES)
    assert measured.numbers["mean IoU"] == pytest.approx((6 / 9 + 3 / 6) / 2)
    assert measured.numbers["pixel accuracy"] == pytest.approx(9 / 12)
    classes, confusion = measured.tables
    assert dict(classes.rows)["floor tile"] == pytest.approx((6 / 9, 8 / 12))
    assert confusion.columns == NAMES[:2]
    assert dict(confusion.rows) == {"floor tile": (75.0, 25.0), "square": (25.0, 75.0)}


def test_the_recipe_of_the_paper(folder, tmp_path):
    rep = Ikshana(variant="2S-1G", weights="random")
    recipe = Request(recipe="paper").settings(rep).recipe
    assert (recipe.optimiser, recipe.momentum, recipe.batch) == ("sgd", 0.7, 2)
    assert (recipe.schedule, recipe.augment, recipe.weight_decay) == ("plateau", "", 0)
    # A rate of 1e-6 of the sum is that of the mean over the pixels of a step.
    assert recipe.learning_rate / (recipe.batch * recipe.size**2) == pytest.approx(1e-6)
