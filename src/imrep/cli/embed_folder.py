"""`imrep embed` by one representation or several: which file each gets, and one pass for all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen
from imrep.errors import BadParameter

if TYPE_CHECKING:
    from imrep.api.embedding_outputs import Group, Job
    from imrep.store.distributed import Encoder

_NATIVE = 0


def outputs(specs: Sequence[str], out: Path) -> dict[str, Path]:
    """The file of each representation: `out` for a single one, else one in the folder `out`.

    Raises:
        UsageError: `out` is a file where a folder is needed, or the other way round.
    """
    from imrep.api import embedding_outputs

    if len(specs) > 1:
        existing = [spec for spec in specs if Path(spec).is_file()]
        if existing:  # the shell has expanded a pattern
            raise click.UsageError(
                f"SPEC needs representations, got the file {existing[0]}. Quote a pattern: "
                "'a*.tar'."
            )
    try:
        return embedding_outputs.output_files(specs, out, several=len(specs) > 1)
    except BadParameter as error:
        raise click.UsageError(str(error)) from error


def embed(
    data: str,
    outs: Mapping[str, Path],
    size: int | None,
    machine: options.Machine,
    chosen: dict[str, Any],
    cluster: tuple[int | None, str | None] | None = None,
) -> tuple[list[Any], tuple[str, ...]]:
    """What was written (`OutputFile`, or `Summary` of a store), and the notes on the data.

    Args:
        data: What `datasets.find` takes.
        outs: The file of each spec.
        size: Of the squares; None for the default, 0 for native.
        machine: Threads, seed, device.
        chosen: Further parts of the `Job`.
        cluster: Workers on Ray and its address, for a store; None for this process.
    """
    from imrep import datasets, factory
    from imrep.api import embedding_outputs
    from imrep.cli import engine

    for out in outs.values():
        with screen.writing(out):
            embedding_outputs.check_name(out)
    dataset = datasets.find(data)
    screen.notes(dataset.notes, machine.quiet)
    job = _job(size, machine, {**chosen, "data": data}, cluster)
    with engine.downloads(machine.download):
        reps = [factory.get(spec) for spec in outs]
    pairs = list(zip(reps, outs.values(), strict=True))
    groups = embedding_outputs.grouped(
        dataset.items, pairs, job, lambda sentence: screen.remark(sentence, machine.quiet)
    )
    if machine.verbose:
        screen.remark(_plan(len(dataset.items), groups))
    with screen.Meter(machine.quiet) as meter:
        results = embedding_outputs.write(
            dataset.items, groups, job, meter, lambda out: screen.writing(out, resumable=True)
        )
    return [output for output, _ in results], dataset.notes


def _job(
    size: int | None,
    machine: options.Machine,
    chosen: dict[str, Any],
    cluster: tuple[int | None, str | None] | None,
) -> "Job":
    from imrep.api.embedding_outputs import Job
    from imrep.cli import engine

    encoder = _on_ray(*cluster, machine.device) if cluster else None
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    if size is not None:
        chosen = chosen | {"size": None if size == _NATIVE else size}
    return Job(
        threads=threads,
        seed=machine.seed,
        device="cpu" if encoder else engine.device(machine.device),
        cluster=encoder,
        **chosen,
    )


def _on_ray(workers: int | None, address: str | None, device: str) -> "Encoder":
    """What embeds on Ray; refused before anything is read where Ray is not installed."""
    from imrep.store import distributed

    distributed.require_ray()
    return distributed.Encoder(workers, address, device)


def _plan(count: int, groups: "Sequence[Group]") -> str:
    settings = [group.settings for group in groups]
    sizes = ", ".join(f"{each.size} px" if each.size else "native size" for each in settings)
    return f"{count:,} files, {sizes}, {settings[0].threads} threads, {settings[0].device}"
