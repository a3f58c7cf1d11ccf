"""`train`: the weights of a learned representation, from images."""

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from imrep import checks, datasets, images, training_record, weights
from imrep.api.data import source
from imrep.api.training_request import Request
from imrep.base import Learned, Representation
from imrep.datasets import Dataset
from imrep.errors import BadData
from imrep.io import skipped
from imrep.io.files import write_text
from imrep.io.frames import data_frame
from imrep.io.names import as_path, command_line
from imrep.io.output_folder import claimed
from imrep.training_record import HELD_OUT, MODEL, REPORT, Line, Run
from imrep.types import Progress

if TYPE_CHECKING:
    from pandas import DataFrame

    from imrep.training.job import Job
    from imrep.training.protocol import Forecast

Watch = Callable[[Line, int], None]


@dataclass(frozen=True, repr=False)
class Training:
    """A finished training run.

    Args:
        folder: Everything of the run: `model/`, checkpoints, `log.jsonl`, `report.html`.
        representation: With the weights of the model.
        skipped: (path, reason) of the files that could not be read.
        run: What the run was, and what came of it.
    """

    folder: Path
    representation: Learned = field(compare=False)
    skipped: tuple[tuple[str, str], ...]
    run: Run

    @property
    def model(self) -> Path:
        """The folder that `imrep.load`, and every command, takes as the representation."""
        return self.folder / MODEL

    @property
    def report(self) -> Path:
        """The page with the curves, pictures and held-out images."""
        return self.folder / REPORT

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The settings that were tried: setting, held_out (its loss), seconds, chosen."""
        return [dict(row) for row in self.run.choices]

    @property
    def held_out_loss(self) -> float:
        """Mean loss of the held-out images under the weights of the model."""
        result = self.run.result
        is_best = self.run.identity["selects_best"]
        return float(result["best_held_out" if is_best else "held_out"])

    @property
    def evaluation(self) -> dict[str, float]:
        """Measures of the held-out images beside the loss, by name; for a few representations."""
        return dict(self.run.result.get("evaluation", {}).get("numbers", {}))

    def log(self) -> list[dict[str, Any]]:
        """The curves: a dictionary for every line of `log.jsonl`, None where nothing was measured.

        Its keys are step, epoch, loss, held_out, learning_rate, gradient (the norm),
        images_per_second and seconds.
        """
        return [asdict(line) for line in training_record.read_log(self.folder)]

    def to_pandas(self) -> "DataFrame":
        """The log as a data frame.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        lines = self.log()
        columns = {f.name: [line[f.name] for line in lines] for f in fields(Line)}
        return data_frame(columns, "Training.to_pandas")

    def __repr__(self) -> str:
        result = self.run.result
        return (
            f"Training({self.representation.name}, {result['steps']:,} steps, "
            f"held-out loss {self.held_out_loss:.4g}, {self.model})"
        )


def train(  # noqa: PLR0913  # one argument for each option of the command
    data: Any,
    representation: str | Learned,
    out: str | Path = "trained",
    *,
    steps: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    batch: int | None = None,
    size: int | None = None,
    crop: int | None = None,
    augment: str | None = None,
    recipe: str | None = None,
    optimiser: str | None = None,
    learning_rate: float | None = None,
    momentum: float | None = None,
    weight_decay: float | None = None,
    schedule: str | None = None,
    warmup: float | None = None,
    clip: float | None = None,
    held_out: float = 0.1,
    choose: Mapping[str, Sequence[Any]] | None = None,
    groups: str | Path | None = None,
    seed: int = 0,
    threads: int | None = None,
    device: str = "cpu",
    precision: str = "32",
    accumulate: int = 1,
    devices: int = 1,
    nodes: int = 1,
    deterministic: bool = False,
    resume: bool = False,
    download: bool = False,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    logger: Any = False,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Training:
    """Train a learned representation on images, by Lightning's Trainer.

    Everything random follows from the seed, the step and the image, so that a run which is killed
    and resumed ends with the weights of an unbroken one. A part of the images is always held out,
    in complete groups of near-duplicates; its loss selects the model among the checkpoints.

    Args:
        data: As for `compare`: a folder, a split.csv, a zip, a parquet, a glob, a list of paths,
            images, or (images, labels).
        representation: A spec; its weights are random unless it says otherwise. Or one that was
            built already, which is trained in place.
        out: Folder of the run.
        steps: Length of the run in steps of the optimiser. This and the further arguments that are
            None have the value of the representation's `recipe`.
        epochs: Length in epochs instead.
        minutes: Length in minutes instead, by the time of ten measured steps.
        batch: Images of a step, over all processes and accumulated parts.
        size: Side in pixels of the squares that files are read at; 0 for their own size.
        crop: Side in pixels of the part of a square that a step sees; 0 for all of it.
        augment: Random changes, joined by a plus (`imrep.base.Recipe`); "" for none.
        recipe: Name of one of the representation's `recipes`, in place of its `recipe`.
        optimiser: "sgd", "adam" or "adamw".
        learning_rate: The largest of the run.
        momentum: Of "sgd".
        weight_decay: Of the weights; biases and scales have none.
        schedule: Of the learning rate: "cosine", "step", "constant" or "plateau".
        warmup: Share of the steps in which the learning rate rises.
        clip: Largest norm of the gradient; 0 for no limit.
        held_out: Share of the images that is held out.
        choose: Values to try, by the name of a setting of the recipe or of the representation:
            `{"weight_decay": [0, 1e-4]}`. Every combination is trained, the one with the smallest
            held-out loss at its end is trained anew with the images it was chosen on, and tested on
            a third part. Each of these trainings has the length that is set here.
        groups: A csv with path,group: images of a group are held out together.
        seed: Of weights, order, augmentation, noise, and of the division of the data.
        threads: Threads that compute, and but one also load images; None for as many as torch has.
        device: "cpu", "cuda" or "mps".
        precision: "32", "bf16" or "16".
        accumulate: Parts of a step that are computed one after the other, to save memory.
        devices: Processes on this machine, each with a device of its own.
        nodes: Machines that run this call together.
        deterministic: Whether to refuse operations of an accelerator that vary from run to run.
        resume: Whether to go on with the run in `out`, if there is one.
        download: Whether published weights that are not on this machine are fetched.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        logger: One of Lightning's loggers, beside `log.jsonl`.
        progress: Called with a phrase, the number done and the total, before the training.
        watch: Called after every step with a line of the log and the number of steps.

    Returns:
        A `Training`: the representation, losses, log, files.

    Raises:
        BadData: There are no images, they are of one class where the loss needs several, or `out`
            holds another run.
        BadParameter: An argument is out of its range, or the representation learns nothing.
        Busy: Another run writes into `out`.
        Diverged: The loss is not finite; the last checkpoint remains.
        ExtraNeeded: Lightning is not installed.
        OSError: The system does not let it be written; the last checkpoint remains.
    """
    request = Request(
        out=out, steps=steps, epochs=epochs, minutes=minutes, batch=batch, size=size, crop=crop,
        augment=augment, recipe=recipe, optimiser=optimiser, learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay, schedule=schedule, warmup=warmup, clip=clip, held_out=held_out,
        choose=choose, groups=groups, seed=seed, threads=threads, device=device,
        precision=precision, accumulate=accumulate, devices=devices, nodes=nodes,
        deterministic=deterministic,
        resume=resume, download=download, max_pixels=max_pixels, data_range=data_range,
        logger=logger,
    )  # fmt: skip
    dataset = find(data, representation, request, progress)
    return run(dataset, representation, request, progress or _silent, watch or _unwatched)


def find(
    data: Any,
    representation: str | Representation,
    request: Request,
    progress: Progress | None = None,
) -> Dataset:
    """The data set, with annotations where the representation learns from such.

    Raises:
        BadData: There is none, or an annotation is wrong.
        UnknownName: Nothing has the name of the spec.
    """
    from imrep.training import build

    if data is None:
        raise BadData("train needs a path, images, or (images, labels), got None. Try 'photos/'.")
    origin = source(data, request.reading, "train")
    if isinstance(origin, Dataset):
        return origin
    groups = None if request.groups is None else Path(request.groups)
    annotated = (
        build.annotated(representation, origin, progress) if isinstance(origin, str) else None
    )
    if annotated is None:
        return datasets.find(origin, groups=groups)
    return annotated if groups is None else datasets.grouped(annotated, groups)


def run(
    dataset: Dataset,
    representation: str | Representation,
    request: Request,
    progress: Progress,
    watch: Watch,
) -> Training:
    """Train, and write everything into the folder; see `train`."""
    from imrep.report import training_page
    from imrep.training import protocol
    from imrep.training.settings import rank

    folder = as_path(request.out, "train", "a folder", empty=False)
    with claimed(folder, "train") if rank() == 0 else nullcontext():
        if request.choose:
            job, finished = _chosen(dataset, representation, request, progress, watch)
        else:
            job = prepare(dataset, representation, request, progress)
            finished = protocol.run(job, watch, facts(job), progress)
        if rank() == 0:
            _write_lists(folder, job)
            training_page.write(folder)
    return Training(folder, job.rep, job.data.skipped, finished)


def _chosen(
    dataset: Dataset,
    representation: str | Representation,
    request: Request,
    progress: Progress,
    watch: Watch,
) -> "tuple[Job, Run]":
    """A run whose settings are chosen before."""
    from imrep.training import choosing, job

    rep = _built(dataset, representation, request)
    choices = choosing.typed(request.choose or {}, rep)
    settings = request.settings(rep)
    data = job.read(rep, dataset, settings, progress)
    return choosing.run(rep, data, settings, choices, watch, facts, progress)


def prepare(
    dataset: Dataset,
    representation: str | Representation,
    request: Request,
    progress: Progress,
) -> "Job":
    """The run before its start, for `protocol.run` or `protocol.forecast`."""
    from imrep.training import job

    rep = _built(dataset, representation, request)
    return job.prepare(rep, dataset, request.settings(rep), progress)


def _built(dataset: Dataset, representation: str | Representation, request: Request) -> Learned:
    from imrep.training import build, fitting

    fitting.check_installed()
    checks.integer(request.seed, 0, 2**32 - 1, "train", "seed")
    with weights.allow_download() if request.download else nullcontext():
        if isinstance(representation, str):
            return build.build(representation, dataset, request.seed)
        return build.checked(representation, dataset)


def forecast(job: "Job", progress: Progress) -> "Forecast":
    """What the run will take, from ten measured steps; nothing is written."""
    from imrep.training import protocol

    return protocol.forecast(job, progress)


def facts(job: "Job") -> dict[str, Any]:
    """Numbers and names of a run for people."""
    from imrep import __version__

    return {
        "spec": job.rep.spec,
        "title": job.rep.card.title,
        "data": job.data.name,
        "images": len(job.data),
        "trained": len(job.trained),
        "held_out": len(job.held_out),
        "evaluated": len(job.evaluation.rows),
        "groups": len(set(job.data.groups.tolist())),
        "duplicates": job.data.duplicates,
        "classes": len(job.data.classes),
        "skipped": len(job.data.skipped),
        "parameters": job.parameters,
        "device": job.settings.device,
        "command": command_line(["imrep", *sys.argv[1:]]) if _is_command() else "",
        "versions": {"imrep": __version__, "torch": torch.__version__},
    }


def _write_lists(folder: Path, job: "Job") -> None:
    """Which files could not be read, and which images are held out."""
    skipped.write(folder / "skipped.csv", job.data.skipped)
    items = [job.data.items[row] for row in job.held_out.tolist()]
    text = io.StringIO()
    csv.writer(text).writerows([["path", "label"], *([i.path, i.label or ""] for i in items)])
    write_text(folder / HELD_OUT, text.getvalue())


def _is_command() -> bool:
    return Path(sys.argv[0]).stem == "imrep" if sys.argv else False


def _silent(what: str, done: int, total: int) -> None:
    """No progress is reported."""


def _unwatched(line: Line, steps: int) -> None:
    """No step is reported."""
