"""The comparison, from a folder to numbers, pictures and a sentence.

Each step keeps what it has done (`cache`), so that an interrupted run goes on where it stopped, and
a run with one more representation computes only that one.
"""

from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from imrep import datasets
from imrep.errors import BadData
from imrep.evaluate import cache, memory, outcome, retrieval
from imrep.evaluate.contenders import gather
from imrep.evaluate.decoded import Progress, digests
from imrep.evaluate.folder import survey
from imrep.evaluate.run import Run
from imrep.evaluate.scoring import Coded
from imrep.evaluate.settings import Settings
from imrep.ops import parallel


def run(settings: Settings, progress: Progress) -> Path:
    """Compare, and write results.jsonl, assets/ and skipped.csv into `settings.out`.

    Raises:
        BadData: There are no images, or not one of them can be read.
        ImrepError: An option or a spec is wrong.
    """
    with threadpool_limits(settings.threads), parallel.sharing(settings.threads):
        contenders, absent = gather(settings.specs)
        data = datasets.find(
            settings.data, groups=settings.groups, max_items=settings.most, seed=settings.seed
        )
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
        return outcome.write(run, folder, coded, absent)


def _memory(coded: Sequence[Coded], run: Run) -> dict[str, int]:
    """Peak memory by written spec, in bytes, measured once for each."""
    found: dict[str, int] = {}
    missing: list[tuple[str, int]] = []
    paths: dict[str, Path] = {}
    for one in coded:
        written = one.contender.written
        key = cache.key("memory", one.contender.fingerprint, one.side, run.settings.threads)
        paths[written] = cache.folder("memory", key) / "bytes.json"
        stored = cache.read_json(paths[written])
        if stored is None:
            missing.append((written, one.side))
        else:
            found[written] = stored
    run.progress("peak memory of encoding", 0, len(missing))
    for written, peak in memory.peaks(missing, run.settings.threads).items():
        cache.write_json(paths[written], peak)
        found[written] = peak
    return found
