"""The comparison, from a folder to numbers, pictures and a sentence.

Each step keeps what it has done (`cache`), so that an interrupted run goes on where it stopped, and
a run with one more representation computes only that one.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from imrep import datasets
from imrep.comparison.candidates import gather
from imrep.comparison.data.labelled_dataset import survey
from imrep.comparison.diagnostics import retrieval
from imrep.comparison.output import write
from imrep.comparison.probes.predictions import Coded
from imrep.comparison.settings import Settings
from imrep.comparison.state import Run
from imrep.datasets import Dataset
from imrep.datasets.dataset import several
from imrep.embedding import cache, encode, peak_memory
from imrep.embedding.decoded_images import Progress, digests
from imrep.errors import BadData, BadParameter
from imrep.ops import parallel


def run(settings: Settings, progress: Progress) -> Path:
    """Compare, and write results.jsonl, assets/ and skipped.csv into `settings.out`.

    Raises:
        BadData: There are no images, or not one of them can be read.
        ImrepError: An option or a spec is wrong.
    """
    with threadpool_limits(settings.threads), parallel.sharing(settings.threads):
        contenders, absent = gather(settings.specs, settings.vectors)
        data = _data(settings)
        progress("looking at the files", 0, len(data.items))
        run = Run(settings, progress, data, digests(data.items, settings.readers))
        decoded = run.at(settings.size)
        if not decoded.items:
            reasons = "; ".join(f"{path}: {reason}" for path, reason in decoded.skipped[:3])
            raise BadData(f"{data.name} needs an image that can be read, got none. {reasons}")
        progress("looking for near-copies", 0, 100)
        folder = survey(data, decoded, settings.seed, progress)
        if settings.same_object is not None:
            run.same, run.objects = retrieval.members(folder, settings.same_object)
        coded = run.coded(contenders, settings.size)
        if not coded:
            reasons = "; ".join(one.reason for one in run.failed)
            raise BadData(f"compare needs a representation that runs, got none. {reasons}")
        run.peaks = _memory(coded, run)
        written = write.write(run, folder, coded, absent)
        encode.forget([part for one in coded for part in one.parts])
        return written


def _data(settings: Settings) -> Dataset:
    """The images, those of a program as well as those on disk, in their groups."""
    given, groups = settings.data, settings.groups
    if isinstance(given, Dataset):
        if settings.most is not None and settings.most < len(given.items):
            raise BadParameter("compare draws from files alone, got pictures and most. Draw them.")
        data = given
    else:
        table = groups if isinstance(groups, Path) else None
        data = datasets.find(given, groups=table, max_items=settings.most, seed=settings.seed)
    if groups is None or (isinstance(groups, Path) and not isinstance(given, Dataset)):
        return data
    strange: list[str] = []
    if isinstance(groups, Path):
        groups, strange = datasets.groups(data.items, groups, "groups")
    items = tuple(replace(item, group=groups.get(item.path)) for item in data.items)
    if all(item.group is None for item in items):
        raise BadData(
            f"groups needs names such as {items[0].path!r}, got {next(iter(groups), 'none')!r}."
        )
    paths = {item.path for item in items}
    strange += [str(path) for path in groups if path not in paths]
    note = [several(strange, "path", "of groups not in the data")] if strange else []
    return replace(data, items=items, notes=(*data.notes, *note))


def _memory(coded: Sequence[Coded], run: Run) -> dict[str, int]:
    """Peak memory by written spec, in bytes, measured once for each."""
    found: dict[str, int] = {}
    missing: list[tuple[str, int]] = []
    paths: dict[str, Path] = {}
    for one in coded:
        written = one.contender.written
        if not written:
            continue  # no other process could build it
        key = cache.key("memory", one.contender.fingerprint, one.side, run.settings.threads)
        paths[written] = cache.folder("memory", key) / "bytes.json"
        stored = cache.read_json(paths[written])
        if stored is None:
            missing.append((written, one.side))
        else:
            found[written] = stored
    run.progress("peak memory of encoding", 0, len(missing))
    for written, peak in peak_memory.peaks(missing, run.settings.threads).items():
        cache.write_json(paths[written], peak)
        found[written] = peak
    return found
