"""The learning rate falls where the held-out loss does not, and the run goes on from the best."""

from dataclasses import replace

import pytest
import torch
from tiny_denoiser import Tiny
from training_fixture import NEEDS_LIGHTNING

from imrep import training_record
from imrep.training import protocol

pytestmark = NEEDS_LIGHTNING
# At this rate the loss soon rises again.
PLATEAU = replace(
    Tiny.recipe, schedule="plateau", steps=40, batch=18, learning_rate=0.3, warmup=0.0
)


class PowerCutError(Exception):
    """Ends a run at a step, as a crash would."""


def silent(*_):
    """No progress."""


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("imrep.training.recorder.PATIENCE", 3)  # which imports Lightning


def run(job, watch=silent):
    protocol.run(job, watch, {}, silent)
    return training_record.read_log(job.settings.out)


def test_the_rate_is_halved_after_evaluations_without_progress(prepared, impatient):
    job = prepared(recipe=PLATEAU)
    evaluated = [line for line in run(job) if line.held_out is not None]
    assert [line.step for line in evaluated][:4] == [0, 2, 4, 6]
    factor, best, stale = 1.0, float("inf"), 0
    for line in evaluated:
        if line.step:
            assert line.learning_rate == pytest.approx(0.3 * factor)
        stale = 0 if line.held_out < best else stale + 1
        best = min(best, line.held_out)
        if stale == 3:
            factor, stale = factor / 2, 0
    assert factor < 1


def test_it_goes_on_from_the_best_weights(prepared, impatient, monkeypatch):
    from imrep.training.checkpoints import Checkpoints

    job, restored = prepared(recipe=PLATEAU), []
    restore = Checkpoints.restore_best

    def watched(self, rep):
        restore(self, rep)
        state = torch.load(self.best, weights_only=True)["state_dict"]
        restored.append(all(torch.equal(v, state[f"rep.{k}"]) for k, v in rep.state_dict().items()))

    monkeypatch.setattr(Checkpoints, "restore_best", watched)
    run(job)
    assert len(restored) > 2 and all(restored)


@pytest.mark.parametrize("step", [7, 20])
def test_a_resumed_run_ends_with_the_same_bits(prepared, impatient, step):
    def cut(line, steps):
        if line.step == step:
            raise PowerCutError

    unbroken = prepared(recipe=PLATEAU, folder="unbroken")
    lines = run(unbroken)
    with pytest.raises(PowerCutError):
        run(prepared(recipe=PLATEAU), cut)
    job = prepared(recipe=PLATEAU, resume=True)
    again = run(job)
    pairs = zip(unbroken.rep.state_dict().values(), job.rep.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert [(x.step, x.learning_rate) for x in again] == [(x.step, x.learning_rate) for x in lines]
