"""`imrep train SPEC DATA -o DIR`: weights for a learned representation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen
from imrep.cli.step_meter import StepMeter
from imrep.io.names import command_line, printable
from imrep.plural import several

if TYPE_CHECKING:
    from imrep.api.training import Training
    from imrep.images import Reading
    from imrep.training.job import Job
    from imrep.training.protocol import Forecast

_SKIPPED = 3  # exit code under --strict
_AGAIN = "repeat the command with --resume"
_COUNT = click.IntRange(1)
_SHARE = options.Number(0, 1)


@click.command(
    epilog=options.example(
        "imrep train dae photos/ -o d --minutes 2",
        "imrep train dae photos/ -o d --minutes 2 --resume   after Ctrl-C, or a power cut",
        "imrep train dae photos/ -o d2 --steps 3000 --choose weight_decay=0,1e-5,1e-4",
        "imrep train snnl photos/ -o s --epochs 30 --dry-run",
        "imrep embed photos/ d/model -o vectors.parquet",
    )
)
@click.argument("spec", type=options.SPEC)
@click.argument("data")
@click.option(
    "-o", "--out", required=True, type=options.Output(file_okay=False), help="Folder of the run."
)
@click.option("--steps", type=_COUNT, metavar="N", help="Length in steps of the optimiser.")
@click.option(
    "--epochs", type=options.Number(0, min_open=True), metavar="N", help="Length in epochs."
)
@click.option(
    "--minutes",
    type=options.Number(0, min_open=True),
    metavar="N",
    help="Length in minutes, by the time of ten measured steps.",
)
@click.option("--batch", type=_COUNT, metavar="N", help="Images of a step.")
@click.option(
    "--size",
    type=options.SIDE,
    metavar="S",
    help="Side in pixels of the squares that files are read at, or native.",
)
@click.option(
    "--crop",
    type=click.IntRange(0, options.LARGEST_SIDE),
    metavar="S",
    help="Side in pixels of the part of a square that a step sees; 0 for all of it.",
)
@click.option(
    "--augment",
    metavar="A+B",
    help="Random changes: resized_crop, crop, flip, vertical_flip, rotate, jitter; '' for none.",
)
@click.option("--recipe", metavar="NAME", help="One of the representation's own, by its name.")
@click.option("--optimiser", type=click.Choice(["sgd", "adam", "adamw"]), help="The optimiser.")
@click.option(
    "--learning-rate", type=options.Number(0), metavar="X", help="The largest of the run."
)
@click.option("--momentum", type=options.Number(0, 1), metavar="X", help="Of sgd.")
@click.option("--weight-decay", type=options.Number(0), metavar="X", help="Of the weights.")
@click.option(
    "--schedule",
    type=click.Choice(["cosine", "step", "constant", "plateau"]),
    help="How the learning rate falls.",
)
@click.option(
    "--warmup", type=_SHARE, metavar="X", help="Share of the steps in which it rises first."
)
@click.option("--clip", type=options.Number(0), metavar="X", help="Largest norm of the gradient.")
@click.option(
    "--held-out",
    type=_SHARE,
    default=0.1,
    show_default=True,
    metavar="X",
    help="Share of the images that is held out, in complete groups of near-duplicates.",
)
@click.option(
    "--choose",
    multiple=True,
    type=options.Named("NAME=VALUE,VALUE", click.STRING),
    metavar="NAME=V,V",
    callback=options.by_name,
    help="Train with each value of a setting, choose by held-out loss, train anew, and test on "
    "a third part; repeatable.",
)
@click.option(
    "--groups",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="csv with path,group: images of a group are held out together.",
)
@click.option(
    "--precision",
    type=click.Choice(["32", "bf16", "16"]),
    default="32",
    show_default=True,
    help="Bits of the arithmetic.",
)
@click.option(
    "--accumulate",
    type=_COUNT,
    default=1,
    metavar="N",
    help="Parts of a step that are computed one after the other, to save memory.",
)
@click.option("--devices", type=_COUNT, default=1, metavar="N", help="Processes on this machine.")
@click.option("--nodes", type=_COUNT, default=1, metavar="N", help="Machines.")
@click.option("--deterministic", is_flag=True, help="Refuse operations that vary from run to run.")
@click.option("--resume", is_flag=True, help="Go on with the run in the folder, if there is one.")
@click.option("--dry-run", is_flag=True, help="Say what it will take; write nothing.")
@options.reading
@options.strict
@options.as_json
@options.machine
def command(  # noqa: PLR0913  # one argument for each group of options
    spec: str,
    data: str,
    out: Path,
    as_json: bool,
    strict: bool,
    dry_run: bool,
    choose: dict[str, str] | None,
    machine: options.Machine,
    reading: "Reading",
    **chosen: Any,
) -> None:
    """Train a learned representation on a set of images.

    DATA is what compare reads. What is not set is the representation's own. A part of the images
    is held out and its loss reported; `-o` holds the model, checkpoints, the log and report.html. A
    killed run resumes with --resume to the very weights of an unbroken one.
    """
    from imrep.api import training
    from imrep.api.training_request import Request
    from imrep.cli import engine

    threads = engine.start(threads=machine.threads, seed=machine.seed)
    request = Request(
        **chosen,
        out=out,
        choose={name: text.split(",") for name, text in (choose or {}).items()},
        seed=machine.seed,
        threads=threads,
        device=engine.device(machine.device),
        download=machine.download,
        max_pixels=reading.max_pixels,
        data_range=reading.data_range,
    )
    quiet = machine.quiet or _is_other_process()
    with screen.Meter(quiet) as meter:
        dataset = training.find(data, spec, request, meter)
    screen.notes(dataset.notes, quiet)
    with engine.downloads(machine.download), screen.Meter(quiet) as meter:
        if dry_run:
            job = training.prepare(dataset, spec, request, meter)
            _print_forecast(job, training.forecast(job, meter), request.trainings, as_json)
            return
        with screen.writing(out, resumable=True, again=_AGAIN):
            steps = StepMeter(meter, quiet)
            finished = training.run(dataset, spec, request, meter, steps)
    if _is_other_process():
        return
    if as_json:
        options.write_json(_facts(finished))
    else:
        _print(finished, data, dataset.annotations is not None)
    if strict and finished.skipped:
        raise SystemExit(_SKIPPED)


def _is_other_process() -> bool:
    """Whether this process computes for another, which prints."""
    from imrep.training.settings import rank

    return rank() > 0


def _print(finished: "Training", data: str, is_annotated: bool) -> None:
    run = finished.run
    click.secho(printable(finished.model), bold=True, nl=False)
    steps, seconds = run.result["steps"], run.result["seconds"]
    click.echo(f"  {several(steps, 'step')} in {_duration(seconds)}")
    images = f"{run.facts['held_out']:,} of {run.facts['images']:,} images"
    for row in run.choices:
        loss = "not finite" if row["held_out"] is None else f"{row['held_out']:.4g}"
        mark = "●" if row["chosen"] else " "
        click.echo(f"{mark} {printable(row['setting'])}  {loss}")
    line = f"held-out loss {finished.held_out_loss:.4g} ({images})"
    if run.identity["selects_best"] and run.result["best_step"] != steps:
        line += f", best after step {run.result['best_step']:,}"
    click.echo(line)
    for name, value in finished.evaluation.items():
        click.echo(f"{name} {value:.4g}")
    if finished.skipped:
        listed = printable(finished.folder / "skipped.csv")
        click.secho(
            f"{several(len(finished.skipped), 'file')} could not be read: {listed}", fg="yellow"
        )
    click.echo(printable(finished.report))
    images = "photos/" if is_annotated else data  # a file of annotations is no set of images
    use = ["imrep", "embed", images, str(finished.model), "-o", "vectors.parquet"]
    click.secho(command_line(use), dim=True)


def _print_forecast(job: "Job", forecast: "Forecast", count: int, as_json: bool) -> None:
    seconds = count * forecast.seconds
    facts = {
        "trainings": count,
        "images": len(job.data),
        "trained": len(job.trained),
        "held_out": len(job.held_out),
        "skipped": len(job.data.skipped),
        "steps": forecast.steps,
        "epochs": round(forecast.steps * job.settings.recipe.batch / len(job.trained), 2),
        "parameters": job.parameters,
        "seconds": round(seconds, 1),
        "seconds_per_step": forecast.seconds_per_step,
        "bytes": forecast.peak,
    }
    if as_json:
        options.write_json(facts)
        return
    images = f"{facts['trained']:,} images to train on, {facts['held_out']:,} held out"
    if facts["skipped"]:
        images += f", {facts['skipped']:,} that cannot be read"
    speed = f"{forecast.seconds_per_step:.2g} s a step"
    if forecast.seconds_per_step < 1:
        speed = f"{1000 * forecast.seconds_per_step:.3g} ms a step"
    memory = f", {forecast.peak / 1e6:,.0f} MB of memory" if forecast.peak else ""
    click.echo(images)
    each = f" in each of {count} trainings" if count > 1 else ""
    click.echo(f"{several(forecast.steps, 'step')}, {facts['epochs']:g} epochs{each}")
    click.echo(f"{job.parameters:,} parameters{memory}")
    click.echo(f"about {_duration(seconds)} on {job.settings.device}, {speed}")


def _duration(seconds: float) -> str:
    """47 s, 3 min 20 s, 2 h 5 min."""
    minutes, seconds = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _facts(finished: "Training") -> dict[str, Any]:
    return {
        "model": str(finished.model),
        "report": str(finished.report),
        "spec": finished.representation.spec,
        "held_out_loss": finished.held_out_loss,
        **finished.run.result,
        "choices": finished.choices,
        "facts": finished.run.facts,
        "skipped": [{"path": path, "reason": reason} for path, reason in finished.skipped],
    }
