"""A run that was cut off ends like an unbroken one; other runs and broken losses are refused."""

import errno
import json
import os
from dataclasses import replace

import pytest
import torch
from tiny_denoiser import Tiny
from training_fixture import NEEDS_LIGHTNING

from imrep import training_record
from imrep.errors import BadData, BadParameter, Diverged
from imrep.io import files
from imrep.training import protocol

pytestmark = NEEDS_LIGHTNING
SHORT = replace(Tiny.recipe, steps=12)


class PowerCutError(Exception):
    """Ends a run at a step, as a crash would."""


def cut_at(step):
    def watch(line, steps):
        if line.step == step:
            raise PowerCutError

    return watch


def silent(*_):
    """No progress."""


def run(job, watch=silent):
    return protocol.run(job, watch, {}, silent)


def weights(job):
    return {name: value.clone() for name, value in job.rep.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def curves(folder):
    lines = training_record.read_log(folder)
    return [replace(line, seconds=0, images_per_second=None) for line in lines]


@pytest.fixture
def unbroken(prepared):
    job = prepared(recipe=SHORT, folder="unbroken")
    run(job)
    return job


@pytest.mark.parametrize("step", [0, 1, 6, 7, 12])
def test_a_resumed_run_ends_with_the_same_bits(prepared, unbroken, step):
    with pytest.raises(PowerCutError):
        run(prepared(recipe=SHORT), cut_at(step))
    job = prepared(recipe=SHORT, resume=True)
    assert run(job).result["steps"] == 12
    assert same(weights(unbroken), weights(job))
    assert curves(job.settings.out) == curves(unbroken.settings.out)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_parts_that_are_accumulated_resume_too(prepared, optimiser):
    """In the middle of an epoch, and with a momentum to restore."""
    recipe = replace(SHORT, optimiser=optimiser, batch=6, learning_rate=0.01, schedule="step")
    whole = prepared(recipe=recipe, folder="whole", accumulate=3)
    run(whole)
    with pytest.raises(PowerCutError):
        run(prepared(recipe=recipe, accumulate=3), cut_at(5))
    job = prepared(recipe=recipe, accumulate=3, resume=True)
    run(job)
    assert same(weights(whole), weights(job))


def test_the_loss_falls_and_the_best_is_the_model(unbroken):
    folder = unbroken.settings.out
    held_out = {x.step: x.held_out for x in curves(folder) if x.held_out is not None}
    result = training_record.read_run(folder).result
    assert result["best_held_out"] == min(held_out.values()) < held_out[0] / 2
    assert held_out[result["best_step"]] == result["best_held_out"]
    from imrep.training.checkpoints import Checkpoints

    best = Tiny()
    Checkpoints(folder, keeps_best=True).restore_best(best)
    assert same(best.state_dict(), weights(unbroken))
    again = Tiny().load_weights(folder / "model")
    assert same(again.state_dict(), weights(unbroken))


def test_a_finished_run_is_not_trained_again(prepared, unbroken):
    watched = []
    job = prepared(recipe=SHORT, folder="unbroken", resume=True)
    run(job, lambda *line: watched.append(line))
    assert watched == [] and same(weights(unbroken), weights(job))


def test_a_folder_with_a_run_is_refused(prepared, unbroken):
    with pytest.raises(BadData, match=r"got .*unbroken with a finished run\. Use another -o\."):
        run(prepared(recipe=SHORT, folder="unbroken"))


def test_an_unfinished_run_is_not_overwritten(prepared):
    with pytest.raises(PowerCutError):
        run(prepared(recipe=SHORT), cut_at(5))
    with pytest.raises(BadData, match=r"an unfinished run\. Add --resume, or use another -o\."):
        run(prepared(recipe=SHORT))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("batch", "with batch 8, got 4"),
        ("seed", "with seed 0, got 1"),
        ("rep", "with spec tiny, got tiny:width=5"),
    ],
)
def test_only_the_same_run_is_resumed(prepared, name, message):
    with pytest.raises(PowerCutError):
        run(prepared(recipe=SHORT), cut_at(3))
    other = {
        "batch": {"recipe": replace(SHORT, batch=4)},
        "seed": {"recipe": SHORT, "seed": 1},
        "rep": {"rep": Tiny(width=5), "recipe": SHORT},
    }
    with pytest.raises(BadData, match=message):
        run(prepared(resume=True, **other[name]))


def test_a_loss_that_is_not_finite_stops_the_run(prepared):
    poisoned = Tiny(poison=0.921)  # no image is as bright but by jitter
    with pytest.raises(Diverged) as caught:
        run(prepared(rep=poisoned, recipe=replace(SHORT, steps=100)))
    message = str(caught.value)
    assert "train needs a finite loss, got inf in step" in message
    assert "00000" in message or "0000" in message  # names of images
    assert "Try learning_rate=0.001" in message


def test_the_last_checkpoint_remains_when_the_disk_is_full(prepared, unbroken, monkeypatch):
    saves, publish = [], files.publish

    def full(draft, path):
        saves.append(path)
        if len(saves) > 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return publish(draft, path)

    job = prepared(recipe=SHORT)
    monkeypatch.setattr(files, "publish", full)
    with pytest.raises(OSError, match="No space left"):
        run(job)
    monkeypatch.undo()
    assert not list(job.settings.out.rglob(".imrep-*"))
    job = prepared(recipe=SHORT, resume=True)
    run(job)
    assert same(weights(unbroken), weights(job))


def test_a_damaged_checkpoint_is_named(prepared):
    with pytest.raises(PowerCutError):
        run(prepared(recipe=SHORT), cut_at(5))
    job = prepared(recipe=SHORT, resume=True)
    (job.settings.out / "last" / "checkpoint.ckpt").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(BadData, match=r"cannot resume from .*checkpoint\.ckpt"):
        run(job)


def test_a_forecast_writes_nothing_and_changes_nothing(prepared):
    job = prepared(recipe=SHORT)
    before = weights(job)
    forecast = protocol.forecast(job, silent)
    assert same(before, weights(job)) and not job.settings.out.exists()
    assert forecast.steps == 12 and 0 < forecast.seconds_per_step < forecast.seconds


def test_minutes_become_steps_that_a_resumed_run_keeps(prepared):
    job = prepared(minutes=0.02)
    with pytest.raises(PowerCutError):
        run(job, cut_at(2))
    steps = training_record.read_run(job.settings.out).facts["steps"]
    again = prepared(minutes=0.02, resume=True)
    assert run(again).result["steps"] == steps > 2


def test_the_callers_generator_is_left_alone(prepared):
    torch.manual_seed(5)
    expected = torch.rand(3)
    job = prepared(recipe=replace(SHORT, steps=2))
    torch.manual_seed(5)
    run(job)
    assert torch.equal(torch.rand(3), expected)


def test_pictures_are_written_with_their_captions(unbroken):
    folder = unbroken.settings.out
    assert training_record.read_run(folder).captions == ("image", "from its code")
    from PIL import Image

    with Image.open(folder / "examples.png") as sheet:
        assert sheet.size[0] * 2 == sheet.size[1]  # four rows of two


def test_the_log_has_no_numbers_that_json_lacks(unbroken):
    text = (unbroken.settings.out / "log.jsonl").read_text()
    for line in text.splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(name))


def test_epochs_count_images(prepared):
    job = prepared(epochs=2)
    assert job.steps == -(-2 * len(job.trained) // 8)


def test_a_batch_that_parts_do_not_divide(prepared):
    with pytest.raises(BadParameter, match=r"3 parts divide .*, got 8\. Try 6\."):
        prepared(accumulate=3)


def test_changes_without_strength_are_refused(prepared):
    """An option that is taken must do something."""

    class Still(Tiny):
        def strength(self, epoch):
            return 0.0

    with pytest.raises(BadParameter, match=r"some strength for crop\+jitter, got 0 of"):
        prepared(Still(), recipe=replace(SHORT, augment="crop+jitter"))
    assert prepared(Still(), recipe=replace(SHORT, augment="crop")).loading.names == ("crop",)
    assert prepared(recipe=replace(SHORT, augment="flip")).loading.names == ("flip",)
    Still.recipe = replace(SHORT, augment="crop+flip")
    assert prepared(Still()).identity()["augment"] == "crop"
