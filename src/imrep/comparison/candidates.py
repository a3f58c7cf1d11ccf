"""Which representations are compared, and why the others are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from imrep import adapters, weights
from imrep.base import Representation, Sum
from imrep.errors import BadParameter, ExtraNeeded, WeightsNeeded
from imrep.registry import catalog


@dataclass(frozen=True)
class Contender:
    """One representation, or several as a sum.

    Args:
        spec: Its shortest spec, by which every table names it.
        written: The spec from which another process rebuilds it, a weights folder's path included;
            "" for an object that has none.
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
        return self.ready or all(part.canvas is not None for part in self.parts)

    @property
    def ready(self) -> bool:
        """Whether it is vectors made elsewhere, so that no image can be encoded anew."""
        return any(isinstance(part, adapters.Ready) for part in self.parts)

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


def gather(
    asked: Sequence[object] | None,
    vectors: Mapping[str, tuple[Sequence[str | Path], object]] | None = None,
) -> tuple[list[Contender], list[Absent]]:
    """Build what was asked for, or every representation that can run here.

    Args:
        asked: Specs, sums among them; representations; modules or functions from images to vectors.
            None for all whose weights, if they need any, are at hand.
        vectors: Vectors made elsewhere, by the name that tables give them: (paths, (n, d)).

    Raises:
        UnknownName: A spec names nothing.
        BadParameter: A spec is wrong, something is no representation, or none can run.
    """
    found: dict[str, Contender] = {}
    absent: list[Absent] = []
    for label, (paths, array) in (vectors or {}).items():
        found[label] = Contender(label, "", (adapters.Ready(label, paths, array),))
    for given in asked or catalog.names():
        if not asked and _has_no_weights(str(given)):
            reason = (
                f"{given} needs published weights, and no cache on this machine holds any. "
                "Allow it with --download, or compare a spec with weights=FOLDER."
            )
            absent.append(Absent(str(given), "weights", reason))
            continue
        try:
            rep = adapters.resolve(given, "compare")
        except WeightsNeeded as error:
            absent.append(Absent(str(given), "weights", str(error)))
        except ExtraNeeded as error:
            absent.append(Absent(str(given), "extra", str(error)))
        else:
            new = _contender(given, rep, found)
            found.setdefault(new.spec, new)
    if not found:
        reasons = " ".join(a.reason for a in absent)
        raise BadParameter(f"compare needs a representation that can run here, got none. {reasons}")
    return list(found.values()), absent


def _contender(given: object, rep: Representation, known: Mapping[str, Contender]) -> Contender:
    """Of a spec or an object; an object that is not what its spec builds has a name of its own."""
    parts = rep.views if isinstance(rep, Sum) else (rep,)
    if isinstance(given, str):
        return Contender(rep.spec, given, parts)
    made = Contender(rep.spec, rep.spec if adapters.typable(rep) else "", parts)
    count = 2
    while (other := known.get(made.spec)) and other.fingerprint != made.fingerprint:
        made = replace(made, spec=f"{rep.spec} {count}")
        count += 1
    return made
