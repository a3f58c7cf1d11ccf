"""Settings chosen by held-out loss: trained on one part, chosen on a second, tested on a third."""

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from imrep import training_record
from imrep.base import Learned, Recipe
from imrep.base.representation import annotation
from imrep.errors import BadParameter, Diverged
from imrep.registry import specs
from imrep.training import protocol
from imrep.training.data import TrainingData
from imrep.training.job import Job, sized
from imrep.training.parts import split
from imrep.training.settings import Settings
from imrep.training_record import Run
from imrep.types import Progress

if TYPE_CHECKING:
    from imrep.training.recorder import Watch

FOLDER = "choices"  # within the run's
Choices = Mapping[str, Sequence[Any]]  # values to try by the name of a setting
Setting = dict[str, Any]
_FIXED = ("steps", "size", "crop")  # of the recipe: other lengths or images are not comparable
_MAX_SETTINGS = 100


def typed(choices: Choices, rep: Learned) -> dict[str, tuple[Any, ...]]:
    """The values as the types of the settings; texts are read as in a spec.

    Args:
        choices: Of the recipe or of the representation.
        rep: The representation.

    Raises:
        BadParameter: There is no such setting, or a value is of another type or tried twice.
    """
    annotations = {name: annotation(p) for name, p in rep._signature().items()}
    annotations |= {f.name: str(f.type.__name__ if isinstance(f.type, type) else f.type)
                    for f in fields(Recipe) if f.name not in _FIXED}  # fmt: skip
    values = {}
    for name, texts in choices.items():
        specs.check_keys([name], annotations, "choose")
        values[name] = tuple(_typed(value, annotations[name], name) for value in texts)
        if len(values[name]) < 2 or len(set(values[name])) < len(values[name]):
            listed = ", ".join(map(str, values[name]))
            raise BadParameter(f"choose needs two values or more of {name}, got {listed}.")
    if math.prod(map(len, values.values())) > _MAX_SETTINGS:
        raise BadParameter(
            f"choose needs at most {_MAX_SETTINGS} settings, got "
            f"{math.prod(map(len, values.values())):,}. Try fewer values."
        )
    return values


def run(
    rep: Learned,
    data: TrainingData,
    settings: Settings,
    choices: Choices,
    watch: "Watch",
    facts: Callable[[Job], dict[str, Any]],
    progress: Progress,
) -> tuple[Job, Run]:
    """Train each setting, and the one with the smallest held-out loss anew.

    The third part is held out from everything before: its loss, at the end of the last training, is
    that of images that no choice has seen.

    Args:
        rep: At its first weights; it is left unchanged.
        data: The images.
        settings: Of the run.
        choices: As `typed` returns them.
        watch: Called after every step.
        facts: Gives the facts of a job for people.
        progress: Called with a phrase and a total of 0 before each training.

    Returns:
        The last training.

    Raises:
        BadData: The folder holds another run, or there are too few groups for three parts.
        Diverged: The loss of every setting is not finite.
    """
    settings = replace(settings, selects_best=False)
    parts = _Division(data, settings)
    base = sized(rep, data, parts.outer, settings)
    choosing = settings.out / FOLDER
    _claim(choosing, base, choices)
    results = []
    tried = [*_settings(choices)]
    for number, setting in enumerate(tried, 1):
        progress(f"{_name(setting)} ({number} of {len(tried)})", 0, 0)
        own = replace(settings, out=choosing / _name(setting), resume=True)
        job = _job(rep, data, parts.inner, own, setting)
        results.append(_result(setting, job, watch, facts, progress))
    chosen = min(results, key=lambda result: result["held_out"])
    if not math.isfinite(chosen["held_out"]):
        raise Diverged(f"train needs one setting with a finite loss, got none of {len(tried)}.")
    chosen["chosen"] = True
    progress(f"{chosen['setting']} is chosen and trained on both parts", 0, 0)
    job = _job(rep, data, parts.outer, settings, tried[results.index(chosen)])
    more = {"chosen": chosen["setting"], "chosen_on": len(parts.inner[1])}
    rows = tuple(_without_infinity(result) for result in results)
    return job, protocol.run(job, watch, facts(job) | more, progress, rows)


class _Division:
    """Both divisions: the outer holds out the third part, the inner the second.

    Args:
        data: The images.
        settings: With the share of each.
    """

    def __init__(self, data: TrainingData, settings: Settings) -> None:
        share, seed = settings.held_out, settings.seed
        rows = np.arange(len(data))
        self.outer = split(rows, data.labels, data.groups, share, seed)
        self.inner = split(self.outer[0], data.labels, data.groups, share, seed + 1)


def _settings(choices: Choices) -> Iterator[Setting]:
    """Every combination of values."""
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def _job(
    rep: Learned, data: TrainingData, parts: tuple[Any, Any], settings: Settings, setting: Setting
) -> Job:
    """A job of a setting: its own recipe, and a representation of its own at the first weights."""
    names = {f.name for f in fields(Recipe)}
    recipe = replace(settings.recipe, **{k: v for k, v in setting.items() if k in names})
    own, params = copy.deepcopy(rep), {k: v for k, v in setting.items() if k not in names}
    if params:
        torch.manual_seed(settings.seed)
        own.set_params(**params)
        own.train()
    return sized(own, data, parts, replace(settings, recipe=recipe))


def _result(
    setting: Setting,
    job: Job,
    watch: "Watch",
    facts: Callable[[Job], dict[str, Any]],
    progress: Progress,
) -> dict[str, Any]:
    row = {"setting": _name(setting), "held_out": math.inf, "seconds": 0.0, "chosen": False}
    try:
        finished = protocol.run(job, watch, facts(job), progress)
    except Diverged:
        return row
    loss = finished.result["held_out"]
    return row | {"held_out": math.inf if loss is None else loss,
                  "seconds": finished.result["seconds"]}  # fmt: skip


def _claim(folder: Path, base: Job, choices: Choices) -> None:
    """Mark the folder of the choices as those of this run.

    Raises:
        BadData: It is another's, or `resume` is not set.
    """
    identity = base.identity() | {"choices": {k: list(v) for k, v in choices.items()}}
    started, last = training_record.read_run(folder), training_record.read_run(base.settings.out)
    if started is not None and last is not None:
        started = replace(started, result=last.result)
    protocol.check(base, started or last, identity)
    folder.mkdir(parents=True, exist_ok=True)
    training_record.write_run(folder, Run(identity=identity))


def _name(setting: Setting) -> str:
    """weight_decay=1e-05,width=16."""
    return ",".join(f"{name}={specs.text(value)}" for name, value in setting.items())


def _without_infinity(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: None for a loss that was not finite."""
    return row | {"held_out": row["held_out"] if math.isfinite(row["held_out"]) else None}


def _typed(value: Any, kind: str, name: str) -> Any:
    if isinstance(value, str):
        return specs.value(value, kind, "choose", name)
    specs.check_type(value, kind, "choose", name)
    return value
