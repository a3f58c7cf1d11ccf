"""The comparison, from a folder to numbers, pictures and a sentence.

Each step keeps what it has done (`cache`), so that an interrupted run goes on where it stopped, and
a run with one more representation computes only that one.
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from threadpoolctl import threadpool_limits

from imrep import datasets
from imrep.base import Representation
from imrep.datasets import Dataset
from imrep.errors import BadData, ImrepError
from imrep.evaluate import cache, encoding, memory, outcome
from imrep.evaluate.contenders import Absent, Contender, gather
from imrep.evaluate.decoded import Decoded, Progress, decode, digests
from imrep.evaluate.encoding import Encoded
from imrep.evaluate.folder import survey
from imrep.evaluate.scoring import Coded
from imrep.evaluate.settings import Settings


@dataclass
class Run:
    """A comparison under way: what is asked, what is read, what has failed so far."""

    settings: Settings
    progress: Progress
    data: Dataset
    contents: list[str]
    failed: list[Absent] = field(default_factory=list)
    peaks: dict[str, int] = field(default_factory=dict)
    decoded: dict[int, Decoded] = field(default_factory=dict)

    def at(self, size: int) -> Decoded:
        """The images at one size, decoded once."""
        if size not in self.decoded:
            self.decoded[size] = decode(
                self.data.items,
                self.contents,
                size,
                threads=self.settings.readers,
                max_pixels=self.settings.max_pixels,
                progress=self.progress,
            )
        return self.decoded[size]

    def seen_by(self, rep: Representation, size: int) -> Decoded:
        """The images as a representation wants them: at its canvas, if it has one.

        Raises:
            BadData: Other files could be read at that size than at the comparison's own.
        """
        found = self.at(rep.canvas or size)
        if found.items != self.at(self.settings.size).items:
            raise BadData(f"other files can be read at {found.size} px. Leave the broken ones out.")
        return found

    def coded(self, contenders: Sequence[Contender], size: int) -> list[Coded]:
        """Codes of every contender that can run; the others are noted with the reason."""
        done: dict[str, Encoded] = {}
        found = []
        for contender in contenders:
            try:
                for part in contender.parts:
                    if part.fingerprint not in done:
                        rep = part.to(self.settings.device).eval()
                        done[part.fingerprint] = encoding.encode(
                            rep, self.seen_by(rep, size), self.settings.device, self.progress
                        )
            except Exception as error:
                self._note(contender, error)
            else:
                parts = tuple(done[part.fingerprint] for part in contender.parts)
                found.append(Coded(contender, parts))
        return found

    def _note(self, contender: Contender, error: Exception) -> None:
        """One representation that fails leaves the others unaffected."""
        if isinstance(error, ImrepError):
            reason = str(error)
        else:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            reason = f"{type(error).__name__} in {place}: {error}"
        self.failed.append(Absent(contender.spec, "error", " ".join(reason.split())))


def run(settings: Settings, progress: Progress) -> Path:
    """Compare, and write results.jsonl, assets/ and skipped.csv into `settings.out`.

    Raises:
        BadData: There are no images, or not one of them can be read.
        ImrepError: An option or a spec is wrong.
    """
    with threadpool_limits(settings.threads):
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
        progress("looking for near-copies", 0, 1)
        folder = survey(data, decoded, settings.seed)
        coded = run.coded(contenders, settings.size)
        if not coded:
            reasons = "; ".join(one.reason for one in run.failed)
            raise BadData(f"compare needs a representation that runs, got none. {reasons}")
        run.peaks = _memory(coded, run)
        return outcome.write(run, folder, coded, contenders, absent)


def _memory(coded: Sequence[Coded], run: Run) -> dict[str, int]:
    """Peak memory by written spec, in bytes, measured once for each."""
    found: dict[str, int] = {}
    missing: list[tuple[str, int]] = []
    paths: dict[str, Path] = {}
    for one in coded:
        side = max(run.seen_by(part.rep, run.settings.size).size for part in one.parts)
        written = one.contender.written
        key = cache.key("memory", one.contender.fingerprint, side, run.settings.threads)
        paths[written] = cache.folder("memory", key) / "bytes.json"
        stored = cache.read_json(paths[written])
        if stored is None:
            missing.append((written, side))
        else:
            found[written] = stored
    run.progress("peak memory of encoding", 0, len(missing))
    for written, peak in memory.peaks(missing, run.settings.threads).items():
        cache.write_json(paths[written], peak)
        found[written] = peak
    return found
