"""A setting is chosen on one held-out part and tested on another, and resumes anywhere."""

import json
from dataclasses import replace

import pytest
import torch
from tiny_denoiser import Tiny
from training_fixture import NEEDS_LIGHTNING

from imrep import training_record
from imrep.errors import BadData, BadParameter, Diverged
from imrep.training import choosing, job
from imrep.training.settings import Settings

pytestmark = NEEDS_LIGHTNING
SHORT = replace(Tiny.recipe, steps=6)
RATES = {"learning_rate": (1e-6, 0.05)}


def silent(*_):
    """No progress."""


class PowerCutError(Exception):
    """Ends a run, as a crash would."""


@pytest.fixture
def choose(dataset, tmp_path):
    """Chooses a setting of the tiny denoiser."""

    def choose(choices, watch=silent, folder="run", rep=None, progress=silent, **settings):
        torch.manual_seed(0)
        rep = rep or Tiny()
        chosen = Settings(out=tmp_path / folder, recipe=SHORT, held_out=0.2, **settings)
        data = job.read(rep, dataset, chosen, silent)
        choices = choosing.typed(choices, rep)
        return choosing.run(rep, data, chosen, choices, watch, lambda job: {}, progress)

    return choose


def test_the_better_setting_is_chosen_and_tested_on_images_of_its_own(choose):
    messages = []
    last, run = choose(RATES, progress=lambda text, *_: messages.append(text))
    losses = [row["held_out"] for row in run.choices]
    assert [row["chosen"] for row in run.choices] == [False, True] and losses[1] < losses[0]
    assert messages[-1] == "learning_rate=0.05 is chosen and trained on both parts"
    assert last.settings.recipe.learning_rate == 0.05
    folder = last.settings.out / "choices"
    inner = json.loads((folder / "learning_rate=0.05" / "run.json").read_text())["identity"]
    outer = run.identity
    assert inner["images"][0] + inner["images"][1] == outer["images"][0]
    assert outer["images"] == [32, 8] and not outer["selects_best"]
    # the model is the last one: nothing was selected by the third part
    assert run.result["held_out"] == training_record.read_log(last.settings.out)[-1].held_out


def test_parts_do_not_overlap(dataset, tmp_path):
    settings = Settings(out=tmp_path, recipe=SHORT, held_out=0.2)
    data = job.read(Tiny(), dataset, settings, silent)
    parts = choosing._Division(data, settings)
    trained, validation = parts.inner
    tested = parts.outer[1]
    assert not set(trained) & set(validation) and not set(tested) & {*trained, *validation}
    assert sorted([*trained, *validation, *tested]) == list(range(40))


def test_parameters_of_the_representation_are_settings_too(choose):
    last, run = choose({"width": ["2", "3"], "optimiser": ["sgd", "adam"]})
    names = [row["setting"] for row in run.choices]
    assert names == [
        "width=2,optimiser=sgd", "width=2,optimiser=adam",
        "width=3,optimiser=sgd", "width=3,optimiser=adam",
    ]  # fmt: skip
    assert last.rep.width in (2, 3)


@pytest.mark.parametrize("moment", [4, 10, 17])  # in the first, the second, the last training
def test_a_choice_that_was_cut_off_ends_the_same(choose, moment):
    whole, expected = choose(RATES, folder="whole")
    seen = []

    def cut(line, steps):
        seen.append(line)
        if len(seen) == moment:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        choose(RATES, watch=cut)
    again, run = choose(RATES, resume=True)
    for name, value in whole.rep.state_dict().items():
        assert torch.equal(value, again.rep.state_dict()[name])
    losses = [[row["held_out"] for row in each.choices] for each in (expected, run)]
    assert losses[0] == losses[1]


def test_it_does_not_go_on_unasked(choose):
    choose(RATES)
    with pytest.raises(BadData, match=r"with a finished run\. Use another -o\."):
        choose(RATES)
    with pytest.raises(BadData, match=r"with choices .* got"):
        choose({"learning_rate": (0.01, 0.05)}, resume=True)


def test_a_setting_that_diverges_is_not_chosen(choose):
    _, run = choose({"poison": (0.0, 0.001)})
    assert [row["held_out"] is None for row in run.choices] == [False, True]
    assert run.choices[0]["chosen"]
    with pytest.raises(Diverged, match="needs one setting with a finite loss, got none of 2"):
        choose({"poison": (0.002, 0.001)}, folder="none")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"weight_decays": [0, 1]}, "choose has no parameter 'weight_decays'"),
        ({"weight_decay": ["0", "much"]}, "choose needs weight_decay to be a number, got 'much'"),
        ({"width": [2, 2.5]}, "choose needs width to be"),
        ({"weight_decay": [0]}, "choose needs two values or more of weight_decay, got 0."),
        ({"weight_decay": [1, 1]}, "two values or more of weight_decay, got 1, 1."),
        ({"steps": [1, 2]}, "choose has no parameter 'steps'"),
        ({"width": range(1, 200)}, "choose needs at most 100 settings, got 199."),
    ],
)
def test_what_cannot_be_chosen_is_refused(choices, message):
    with pytest.raises(BadParameter) as caught:
        choosing.typed(choices, Tiny())
    assert message in str(caught.value)
