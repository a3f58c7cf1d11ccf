"""A comparison under way: what is asked, what is read, what has failed so far."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from imrep.adapters import Ready
from imrep.base import Representation
from imrep.comparison.candidates import Absent, Contender
from imrep.comparison.probes.predictions import Coded
from imrep.comparison.settings import Settings
from imrep.datasets import Dataset
from imrep.embedding import encode
from imrep.embedding.decoded_images import Decoded, Progress, decode
from imrep.embedding.encode import Encoded
from imrep.errors import BadData, ImrepError


@dataclass
class Run:
    """A comparison under way: what is asked, what is read, what has failed so far."""

    settings: Settings
    progress: Progress
    data: Dataset
    contents: list[str]
    same: np.ndarray | None = None  # group of each image that `--same-object` names, else -1
    objects: tuple[str, ...] = ()  # names of those groups
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
                reading=self.settings.reading,
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
                        done[part.fingerprint] = self._encoded(part, size)
            except OSError:  # a full disk, for one: it concerns all of them
                raise
            except Exception as error:
                where = "" if size == self.settings.size else f"at {size} px: "
                self.failed.append(Absent(contender.spec, "error", where + _reason(error)))
            else:
                parts = tuple(done[part.fingerprint] for part in contender.parts)
                found.append(Coded(contender, parts))
        return found

    def _encoded(self, part: Representation, size: int) -> Encoded:
        """Vectors of every image by one representation, or those that were made elsewhere."""
        if isinstance(part, Ready):
            return encode.ready(part, self.at(self.settings.size))
        rep = part.to(self.settings.device).eval()
        device, progress = self.settings.device, self.progress
        return encode.encode(rep, self.seen_by(rep, size), device, progress)


def _reason(error: Exception) -> str:
    """Why a representation could not run, on one line; a fault of ours says where it lies."""
    if isinstance(error, ImrepError):
        return " ".join(str(error).split())
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(where.filename).name}:{where.lineno}"
    return " ".join(f"{type(error).__name__} in {place}: {error}".split())
