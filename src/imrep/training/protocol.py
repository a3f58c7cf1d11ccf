"""A run from its start or its last checkpoint to a saved model."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from imrep import training_record
from imrep.errors import BadData, Diverged
from imrep.training import fitting, pictures, schedule
from imrep.training.batches import parts_of
from imrep.training.interruption import Interrupted, Interruption
from imrep.training.job import Job
from imrep.training.order import held_out
from imrep.training.settings import rank
from imrep.training_record import MODEL, Run
from imrep.types import Progress

if TYPE_CHECKING:
    from imrep.training.checkpoints import Checkpoints
    from imrep.training.measuring import Measured
    from imrep.training.recorder import Watch

_MEASURED = 13  # steps, of which three warm up
_INTERRUPTED = 130  # exit code


@dataclass(frozen=True)
class Forecast:
    """What a run will take.

    Args:
        steps: Of the optimiser.
        seconds: About, with the evaluations.
        seconds_per_step: The mean of ten.
        peak: Bytes of memory; 0 where the system does not tell.
    """

    steps: int
    seconds: float
    seconds_per_step: float
    peak: int


def forecast(job: Job, progress: Progress) -> Forecast:
    """Measure ten steps of a copy; nothing is written."""
    measured = _measured(job, progress)
    if job.settings.minutes is not None:
        job = _within_minutes(job, measured)
    seconds = job.steps * measured.seconds + _evaluations(job) * _evaluation_seconds(job, measured)
    return Forecast(job.steps, seconds, measured.seconds, measured.peak)


def run(
    job: Job,
    watch: "Watch",
    facts: dict[str, Any],
    progress: Progress,
    choices: tuple[dict[str, Any], ...] = (),
) -> Run:
    """Train, or go on with a run that was interrupted, and save the model.

    Args:
        job: The run.
        watch: Called after every step.
        facts: For people, kept in run.json.
        progress: Called while a step is measured, to turn minutes into steps.
        choices: The settings that were tried before, likewise.

    Returns:
        The finished run; the representation of the job has the weights of the model.

    Raises:
        BadData: The folder holds another run, or this one and `resume` is not set.
        Diverged: The loss is not finite.
        KeyboardInterrupt: Ctrl-C was pressed; the state is saved.
    """
    folder = job.settings.out
    stored = _stored(job)
    job = _with_length(job, stored, progress)
    started = stored or Run(
        identity=job.identity(), facts=facts | {"steps": job.steps}, choices=choices
    )
    if stored is None and rank() == 0:
        training_record.write_run(folder, started)
    checkpoints = _checkpoints(job)
    if not started.result:
        started = _trained(job, checkpoints, watch, started)
    checkpoints.restore_best(job.rep)
    job.rep.eval()
    return started


def _trained(job: Job, checkpoints: "Checkpoints", watch: "Watch", started: Run) -> Run:
    from imrep.training.recorder import Recorder

    folder, first = job.settings.out, checkpoints.step()
    with Interruption() as interruption:
        recorder = Recorder(
            folder, job.steps, job.evaluation, job.loading, checkpoints, interruption, watch
        )
        try:
            start = checkpoints.last if first else None
            fitting.fit(job.module(first=first), recorder, job.settings, job.steps, start)
        except Interrupted:
            if rank():  # the first process speaks for all
                raise SystemExit(_INTERRUPTED) from None
            raise KeyboardInterrupt from None
        except Diverged as error:
            raise Diverged(f"{error} {_remains(checkpoints, job)}") from error
    if rank():
        return started
    checkpoints.restore_best(job.rep)
    job.rep.eval()
    job.rep.save(folder / MODEL)
    captions = pictures.write(job, folder)
    result = _result(folder, job, recorder.progress)
    finished = replace(started, captions=captions, result=result | _evaluated(job))
    training_record.write_run(folder, finished)
    return finished


def _result(folder: Path, job: Job, progress: Any) -> dict[str, Any]:
    last = training_record.read_log(folder)[-1]
    return {
        "steps": job.steps,
        "loss": last.loss,
        "held_out": last.held_out,
        "best_held_out": progress.best,
        "best_step": progress.best_step,
        "seconds": last.seconds,
        "spec": f"{job.rep.name}:weights={folder / MODEL}",
    }


def _evaluated(job: Job) -> dict[str, Any]:
    """What the representation measures on the held-out images, where it does."""
    device = next(job.rep.parameters()).device
    size = max(1, job.settings.recipe.batch // job.settings.accumulate)
    parts = parts_of(held_out(job.held_out, job.settings.seed), size)
    batches = (
        {name: value.to(device) for name, value in job.loading.plain(part).items()}
        for part in parts
    )
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(job.settings.seed)
        evaluation = job.rep.evaluate(batches)
    return {} if evaluation is None else {"evaluation": asdict(evaluation)}


def _stored(job: Job) -> Run | None:
    """The run of the folder, if it is this one and may be resumed.

    Raises:
        BadData: It is another, or `resume` is not set.
    """
    stored = training_record.read_run(job.settings.out)
    if stored is None or not (stored.result or job.settings.resume or _checkpoints(job).step()):
        return None  # without a checkpoint nothing is lost by beginning anew
    check(job, stored, job.identity())
    return stored


def check(job: Job, stored: Run | None, identity: dict[str, Any]) -> None:
    """Refuse to go on with another run than the one in the folder, or without `resume`.

    Raises:
        BadData: Saying what differs.
    """
    folder = job.settings.out
    if stored is None:
        return
    if not job.settings.resume and rank() == 0:
        state = "a finished run" if stored.result else "an unfinished run"
        remedy = "Use another -o." if stored.result else "Add --resume, or use another -o."
        raise BadData(f"train needs a folder for a new run, got {folder} with {state}. {remedy}")
    for name in dict.fromkeys([*identity, *stored.identity]):
        before, now = stored.identity.get(name), identity.get(name)
        if before != now:
            raise BadData(
                f"train can resume {folder} only as it began, with {_named(name)} {before}, got "
                f"{now}. Repeat its command, or use another -o."
            )


def _named(name: str) -> str:
    """A key of the identity for people."""
    return {"data": "the images", "weights": "first weights", "format": "the format"}.get(
        name, name
    )


def _with_length(job: Job, stored: Run | None, progress: Progress) -> Job:
    if job.settings.minutes is None:
        return job
    if stored is not None:
        return job.with_steps(int(stored.facts["steps"]))
    return _within_minutes(job, _measured(job, progress))


def _within_minutes(job: Job, measured: "Measured") -> Job:
    """As many steps as fit beside the evaluations."""
    assert job.settings.minutes is not None
    long = job.with_steps(10**9)
    seconds = 60 * job.settings.minutes - _evaluations(long) * _evaluation_seconds(job, measured)
    return job.with_steps(max(1, int(seconds / measured.seconds)))


def _evaluations(job: Job) -> int:
    steps = schedule.interval(job.settings.recipe, len(job.trained))
    return -(-job.steps // steps) + 1


def _evaluation_seconds(job: Job, measured: "Measured") -> float:
    """A third of a step's time for as many images, since there is no gradient."""
    return measured.seconds * len(job.evaluation.rows) / job.settings.recipe.batch / 3


def _measured(job: Job, progress: Progress) -> "Measured":
    from imrep.training.measuring import measure

    return measure(job.module(last=_MEASURED, copied=True), job.settings, progress)


def _checkpoints(job: Job) -> "Checkpoints":
    from imrep.training.checkpoints import Checkpoints

    return Checkpoints(job.settings.out, job.settings.selects_best)


def _remains(checkpoints: "Checkpoints", job: Job) -> str:
    step = checkpoints.step()
    rate = job.settings.recipe.learning_rate
    remedy = f"Try learning_rate={rate / 10:g} and another -o."
    return (
        f"The checkpoint of step {step} remains in {checkpoints.last.parent}. {remedy}"
        if step
        else remedy
    )
