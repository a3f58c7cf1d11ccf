"""Which representations are compared, and why the others are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from imrep import catalog, weights
from imrep.base import Representation, Sum
from imrep.errors import BadParameter, ExtraNeeded, WeightsNeeded


@dataclass(frozen=True)
class Contender:
    """One representation, or several as a sum.

    Args:
        spec: Its shortest spec, by which every table names it.
        written: The spec from which another process rebuilds it, a weights folder's path included.
        parts: The representations: one, or the views of a sum.
    """

    spec: str
    written: str
    parts: tuple[Representation, ...]

    @property
    def role(self) -> str:
        """As results.jsonl names it."""
        return "contender" if len(self.parts) == 1 else "sum"

    @property
    def fixed(self) -> bool:
        """Whether every part has a canvas of its own, whatever size is asked for."""
        return all(part.canvas is not None for part in self.parts)

    @cached_property
    def fingerprint(self) -> str:
        """The parts' fingerprints."""
        return "+".join(part.fingerprint for part in self.parts)


@dataclass(frozen=True)
class Absent:
    """A representation that is not compared: metric of its row ("weights", "extra"), and why."""

    spec: str
    metric: str
    reason: str


def _has_no_weights(name: str) -> bool:
    """Whether a representation needs weights of which there cannot be any here."""
    needs = catalog.card(name).weights == "required"
    return needs and not (weights.may_download() or weights.any_cached())


def gather(asked: Sequence[str] | None) -> tuple[list[Contender], list[Absent]]:
    """Build what was asked for, or every representation that can run here.

    Args:
        asked: Specs, sums among them; None for all whose weights, if they need any, are at hand.

    Raises:
        UnknownName: A spec names nothing.
        BadParameter: A spec is wrong, or not one of them can run.
    """
    found: dict[str, Contender] = {}
    absent: list[Absent] = []
    for written in asked or catalog.names():
        if not asked and _has_no_weights(written):
            reason = (
                f"{written} needs published weights, and no cache on this machine holds any. "
                "Allow it with --download, or compare a spec with weights=FOLDER."
            )
            absent.append(Absent(written, "weights", reason))
            continue
        try:
            rep = catalog.get(written)
        except WeightsNeeded as error:
            absent.append(Absent(written, "weights", str(error)))
        except ExtraNeeded as error:
            absent.append(Absent(written, "extra", str(error)))
        else:
            parts = rep.views if isinstance(rep, Sum) else (rep,)
            found.setdefault(rep.spec, Contender(rep.spec, written, parts))
    if not found:
        reasons = " ".join(a.reason for a in absent)
        raise BadParameter(f"compare needs a representation that can run here, got none. {reasons}")
    return list(found.values()), absent
