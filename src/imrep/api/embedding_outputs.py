"""What `embed` writes: the file of each representation, and one decoding for all of a size."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imrep.base import Representation
from imrep.datasets import Item
from imrep.embedding import half_precision, vector_file
from imrep.embedding.vector_file import OutputFile
from imrep.errors import BadParameter
from imrep.images import DEFAULT_READING, Reading
from imrep.io.digests import digest
from imrep.store import layout, update
from imrep.store.distributed import Encoder
from imrep.store.summary import Summary
from imrep.types import Progress

_SUFFIX = ".parquet"
_FILES = (_SUFFIX, ".npz", ".safetensors", layout.SUFFIX)
_MAX_NAME = 100  # characters of a file's name


def output_files(specs: Sequence[str], out: Path, *, several: bool) -> dict[str, Path]:
    """The file of each representation: `out` for a single one, else one in the folder `out`.

    Args:
        specs: Of the representations.
        out: The requested name.
        several: Whether `out` is a folder.

    Raises:
        BadParameter: `out` is a file where a folder is needed, or the other way round.
    """
    distinct = list(dict.fromkeys(specs))
    if not several:
        if out.is_dir() and not is_store(out):
            raise BadParameter(
                f"embed needs a file for one representation, got {out}, which is a directory. "
                f"Try {out / _file_name(distinct[0], distinct)}{_SUFFIX}."
            )
        return {distinct[0]: out if out.suffix else out.with_suffix(_SUFFIX)}
    if out.is_file() or out.suffix in _FILES:
        raise BadParameter(
            f"embed needs a folder for several representations, got {out}. Try {out.stem}/."
        )
    return {spec: out / f"{_file_name(spec, distinct)}{_SUFFIX}" for spec in distinct}


def is_store(out: Path) -> bool:
    """Whether an output is a store, by its name."""
    return out.suffix == layout.SUFFIX


def _file_name(spec: str, specs: Sequence[str]) -> str:
    """The name of the representation if no other has it, else the spec in letters for files."""
    name = spec.partition(":")[0]
    if "+" not in name and sum(other.partition(":")[0] == name for other in specs) == 1:
        return re.sub(r"[^\w.-]", "-", Path(name).name)
    text = re.sub(r"[^\w.=,+-]", "-", spec)
    return text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]}-{digest(spec.encode(), size=4)}"


def check_name(out: Path) -> None:
    """Refuse, before anything is read, a name that cannot be written.

    Raises:
        BadParameter: Its suffix names no format.
        BadData: It is a folder that is no store.
        OSError: The system would refuse.
    """
    (update if is_store(out) else vector_file).check_name(out)


@dataclass(frozen=True, kw_only=True)
class Job:
    """How images are read and encoded, whatever by.

    Args:
        size: Side of the squares, for what has no size of its own; None for native.
        batch: Images encoded together, at most.
        shard: Images between two checkpoints; None for the default of a file or a store.
        seed: Of the sample that is fitted on.
        threads: That read and encode.
        device: Where to encode.
        reading: How files become pixels.
        fast: Whether half precision is tried.
        dtype: Of the numbers in a store.
        data: Where the images of a store are; "" where that is unknown.
        cluster: What embeds for a store on Ray; None for this process.
    """

    size: int | None = vector_file.SIZE
    batch: int = 64
    shard: int | None = None
    seed: int = 0
    threads: int = 2
    device: str = "cpu"
    reading: Reading = DEFAULT_READING
    fast: bool = False
    dtype: str | None = None
    data: str = ""
    cluster: Encoder | None = None

    def settings(self, rep: Representation, out: Path) -> vector_file.Settings:
        """Those of a representation and its file."""
        common: dict[str, Any] = {
            "size": rep.canvas or self.size,
            "batch": self.batch,
            "seed": self.seed,
            "threads": self.threads,
            "device": "cpu" if self.cluster else self.device,
            "reading": rep.framed(self.reading),
            "compiles": self.fast and not self.cluster,  # a worker's slices are too short to pay
        }
        if self.shard is not None:
            common["shard"] = self.shard
        if is_store(out):
            return update.Settings(**common, dtype=self.dtype, data=self.data)
        return vector_file.Settings(**common)


Output = OutputFile | Summary


@dataclass
class Group:
    """Representations whose images are read alike, each with its number and file."""

    settings: vector_file.Settings
    members: list[tuple[int, Representation, Path]]


def grouped(
    items: Sequence[Item],
    outputs: Sequence[tuple[Representation, Path]],
    job: Job,
    remark: Callable[[str], None],
) -> list[Group]:
    """The representations by how their images are read; each group decodes once.

    Args:
        items: The images, of which the first are embedded to try half precision.
        outputs: Each representation and its file.
        job: How images are read and encoded.
        remark: Called with a sentence on the precision.
    """
    groups: dict[vector_file.Settings, Group] = {}
    for number, (rep, out) in enumerate(outputs):
        settings = job.settings(rep, out)
        if job.fast:
            rep, sentence = half_precision.choose(rep, items, settings)
            remark(sentence)
        group = groups.setdefault(settings, Group(settings, []))
        group.members.append((number, rep, out))
    return list(groups.values())


def write(
    items: Sequence[Item],
    groups: Sequence[Group],
    job: Job,
    progress: Progress | None,
    guard: Callable[[Path], AbstractContextManager[object]] = nullcontext,
) -> list[tuple[Output, Representation]]:
    """Write the vectors of every group: what was written, and by what, in their first order.

    Args:
        items: The images.
        groups: Of `grouped`.
        job: How they are read and encoded.
        progress: Called with a phrase, the number done and the total.
        guard: The context in which the files of a group are written; it gets the first.

    Raises:
        BadData: No image could be read, or a store is of other images.
        StoreMismatch: A store holds vectors of another representation.
        OSError: The system refuses; a repeated call resumes.
    """
    results: dict[int, tuple[Output, Representation]] = {}
    for group in groups:
        with guard(group.members[0][2]):
            outputs = _write_group(items, group, job.cluster, progress)
        for (number, rep, _), output in zip(group.members, outputs, strict=True):
            results[number] = output, rep
    return [results[number] for number in sorted(results)]


def _write_group(
    items: Sequence[Item], group: Group, cluster: Encoder | None, progress: Progress | None
) -> Sequence[Output]:
    if isinstance(group.settings, update.Settings):  # a store has one representation
        ((_, rep, out),) = group.members
        encoder = {} if cluster is None else {"encoder": cluster}
        return [update.embed(items, rep, out, group.settings, progress, **encoder)]
    pairs = [(rep, out) for _, rep, out in group.members]
    return vector_file.embed_together(items, pairs, group.settings, progress)
