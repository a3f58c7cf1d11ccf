"""The representations that are compared, and the reasons why others are not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from imrep import adapters, weights
from imrep.adapters import MadeOutside
from imrep.base import Representation, Sum
from imrep.errors import BadParameter, ExtraNeeded, WeightsNeeded
from imrep.images import Reading
from imrep.registry import catalog, specs
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
        combined: Whether the comparison itself put its parts together.
    """

    spec: str
    rebuild_spec: str
    parts: tuple[Representation, ...]
    combined: bool = False

    @property
    def role(self) -> str:
        """As results.jsonl names it."""
        if self.combined:
            return "together"
        if len(self.parts) > 1:
            return "sum"
        return "own" if self.precomputed else "contender"

    @property
    def fixed_size(self) -> bool:
        """Whether it reads images at a size of its own, whatever size is requested."""
        return self.precomputed or self.canvas is not None

    @property
    def canvas(self) -> int | None:
        """Side, px, of the squares that it needs; a sum reads all its views at the largest."""
        return max((part.canvas for part in self.parts if part.canvas), default=None)

    def framed(self, reading: Reading) -> Reading:
        """The reading with the crop and the filter of that view."""
        return max(self.parts, key=lambda part: part.canvas or 0).framed(reading)

    @property
    def precomputed(self) -> bool:
        """Whether a part consists of vectors made elsewhere, so that no image can be encoded."""
        return any(isinstance(part, MadeOutside) for part in self.parts)

    @property
    def time_stated(self) -> bool:
        """Whether its time rests on what the maker of its vectors states."""
        return any(isinstance(part, MadeOutside) and part.ms is not None for part in self.parts)

    @property
    def pretrained(self) -> bool:
        """Whether it is one network of the catalogue with learned weights."""
        (part, *others) = self.parts
        return not others and part.card.weights != "none" and _may_be_pretrained(part)

    def with_vectors(self, own: Iterable[MadeOutside]) -> "Candidate":
        """The same with these vectors in place of those of their names."""
        by_name = {part.label: part for part in own}
        parts = tuple(
            by_name[part.label] if isinstance(part, MadeOutside) else part for part in self.parts
        )
        return replace(self, parts=parts)

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
    requested: Sequence[object] | None, own: Sequence[MadeOutside] = ()
) -> tuple[list[Candidate], list[Absent]]:
    """Build the requested representations, or every one that can run here.

    Args:
        requested: Specs, sums among them; representations; modules or functions from images to
            vectors. None for the contenders of every card whose weights, if they need any, are
            present.
        own: Vectors made elsewhere. Their names may be parts of sums.

    Raises:
        UnknownName: A spec names nothing.
        BadParameter: A spec is wrong, something is no representation, or none can run.
    """
    candidates = {each.label: Candidate(each.label, "", (each,)) for each in own}
    absent: list[Absent] = []
    for request in requested or _contenders():
        if not requested and (reason := _missing_weights(str(request))):
            absent.append(Absent(str(request), "weights", reason))
            continue
        try:
            rep = _resolve(request, own)
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
    runs: list[str] = []
    for name in catalog.names():
        card = catalog.card(name)
        # What has to be trained first runs where it is requested.
        runs += card.contenders or ([] if card.weights == "trained" else [name])
    return runs


def _resolve(request: object, own: Sequence[MadeOutside]) -> Representation:
    """As `adapters.resolve`; specs may name vectors made elsewhere."""
    by_name = {each.label: each for each in own}
    if not isinstance(request, str) or by_name.keys().isdisjoint(specs.names(request.lower())):
        return adapters.resolve(request, "compare")
    views = [_view(name, texts, by_name) for name, texts in specs.parse(request)]
    return views[0] if len(views) == 1 else Sum(views)


def _view(name: str, texts: Mapping[str, str], own: Mapping[str, MadeOutside]) -> Representation:
    vectors = own.get(name.lower())
    if vectors is None:
        return adapters.resolve(specs.write(specs.text(name), dict(texts)), "compare")
    if texts:
        raise BadParameter(
            f"{vectors.label} needs no parameters, got {', '.join(texts)}: its vectors are made. "
            f"Write {vectors.label}."
        )
    return vectors


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
    if part.card.weights in ("none", "included"):  # what imrep brings has learned no objects
        return part.card.family == adapters.OWN
    return part.get_params().get("weights") not in ("random", None)


def _candidate(request: object, rep: Representation, earlier: Mapping[str, Candidate]) -> Candidate:
    """Of a spec or an object; objects of one spec that differ are numbered."""
    parts = rep.views if isinstance(rep, Sum) else (rep,)
    if any(isinstance(part, MadeOutside) for part in parts):
        return Candidate(rep.spec, "", parts)
    if isinstance(request, str):
        return Candidate(rep.spec, request, parts)
    new = Candidate(rep.spec, rep.spec if adapters.typable(rep) else "", parts)
    count = 2
    while (same := earlier.get(new.spec)) and same.fingerprint != new.fingerprint:
        new = replace(new, spec=f"{rep.spec} {count}")
        count += 1
    return new
