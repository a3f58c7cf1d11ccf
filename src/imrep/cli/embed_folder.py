"""`imrep embed` by one representation or several: which file each gets, and one pass for all."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imrep.cli import options, screen

if TYPE_CHECKING:
    from imrep.base import Representation
    from imrep.embedding.vector_file import Settings
    from imrep.store.distributed import Encoder

STORE = ".lance"
_SUFFIX = ".parquet"
_MAX_NAME = 100  # characters of a file's name


def outputs(specs: Sequence[str], out: Path) -> dict[str, Path]:
    """The file of each representation: `out` for a single one, else one in the folder `out`.

    Raises:
        UsageError: `out` is a file where a folder is needed, or the other way round.
    """
    distinct = list(dict.fromkeys(specs))
    if len(specs) == 1:
        if out.is_dir() and out.suffix != STORE:
            raise click.BadParameter(f"File '{out}' is a directory.", param_hint="'-o' / '--out'")
        return {distinct[0]: out if out.suffix else out.with_suffix(_SUFFIX)}
    existing = [spec for spec in distinct if Path(spec).is_file()]
    if existing:  # the shell has expanded a pattern
        raise click.UsageError(
            f"SPEC needs representations, got the file {existing[0]}. Quote a pattern: 'a*.tar'."
        )
    if out.is_file() or out.suffix in (_SUFFIX, ".npz", ".safetensors", STORE):
        raise click.BadParameter(
            f"several SPECs need a folder, got {out}.", param_hint="'-o' / '--out'"
        )
    return {spec: out / f"{_file_name(spec, distinct)}{_SUFFIX}" for spec in distinct}


def _file_name(spec: str, specs: Sequence[str]) -> str:
    """The name of the representation if no other has it, else the spec in letters for files."""
    from imrep.io.digests import digest

    name = spec.partition(":")[0]
    if "+" not in name and sum(other.partition(":")[0] == name for other in specs) == 1:
        return re.sub(r"[^\w.-]", "-", Path(name).name)
    text = re.sub(r"[^\w.=,+-]", "-", spec)
    return text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]}-{digest(spec.encode(), size=4)}"


def embed(
    data: str,
    outs: Mapping[str, Path],
    size: int | None,
    fast: bool,
    machine: options.Machine,
    chosen: dict[str, Any],
    cluster: tuple[int | None, str | None] | None = None,
) -> tuple[list[Any], tuple[str, ...]]:
    """What was written (`OutputFile`, or `Summary` of a store), and the notes on the data.

    Args:
        data: What `datasets.find` takes.
        outs: The file of each spec.
        size: Of the squares; None for the default.
        fast: Whether half precision is tried.
        machine: Threads, seed, device.
        chosen: Batches and reading.
        cluster: Workers on Ray and its address, for a store; None for this process.
    """
    from imrep import datasets, factory
    from imrep.cli import engine
    from imrep.embedding import half_precision, vector_file
    from imrep.store import update

    writer: Any = update if any(out.suffix == STORE for out in outs.values()) else vector_file
    for out in outs.values():
        with screen.writing(out):
            writer.check_name(out)
    dataset = datasets.find(data)
    items = dataset.items
    screen.notes(dataset.notes, machine.quiet)
    encoder = _on_ray(*cluster, machine.device) if cluster else None
    threads = engine.start(threads=machine.threads, seed=machine.seed)
    with engine.downloads(machine.download):
        reps = [factory.get(spec) for spec in outs]
    groups: defaultdict[Any, list[tuple[int, Representation]]] = defaultdict(list)
    for number, rep in enumerate(reps):
        settings = writer.Settings(
            size=rep.canvas or (vector_file.SIZE if size is None else size) or None,
            threads=threads,
            seed=machine.seed,
            device="cpu" if encoder else engine.device(machine.device),
            compiles=fast and not encoder,  # a worker embeds slices, each too short to pay
            **{**chosen, "reading": rep.framed(chosen["reading"])},
        )
        if fast:
            rep, remark = half_precision.choose(rep, items, settings)
            screen.notes((remark,), machine.quiet)
        groups[settings].append((number, rep))
    if machine.verbose:
        screen.remark(_plan(len(items), groups, threads))
    results: dict[int, Any] = {}
    paths = list(outs.values())
    for settings, group in groups.items():
        pairs = [(rep, paths[number]) for number, rep in group]
        with screen.writing(pairs[0][1], resumable=True), screen.Meter(machine.quiet) as meter:
            files = (
                vector_file.embed_together(items, pairs, settings, meter)
                if writer is vector_file
                else [
                    update.embed(items, *pairs[0], settings, meter, *([encoder] if encoder else []))
                ]
            )
        results |= dict(zip((number for number, _ in group), files, strict=True))
    return [results[number] for number in sorted(results)], dataset.notes


def _on_ray(workers: int | None, address: str | None, device: str) -> "Encoder":
    """What embeds on Ray; refused before anything is read where Ray is not installed."""
    from imrep.store import distributed

    distributed.require_ray()
    return distributed.Encoder(workers, address, device)


def _plan(count: int, settings: "Iterable[Settings]", threads: int) -> str:
    sizes = ", ".join(f"{each.size} px" if each.size else "native size" for each in settings)
    return f"{count:,} files, {sizes}, {threads} threads, {next(iter(settings)).device}"
