"""Weights from files: OpenPifPaf's checkpoints, and what `save` wrote."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from imrep import weights
from imrep.errors import BadParameter
from imrep.represent.spatial.composite import pickles
from imrep.represent.spatial.composite.pickles import Inert
from imrep.represent.spatial.composite.shufflenet import SHAPES
from imrep.represent.spatial.composite.skeleton import COCO, Skeleton, from_facts
from imrep.weights import State

OFFICIAL = ".pkl"  # suffix of OpenPifPaf's files

_CHILDREN = ("_parameters", "_buffers", "_modules")
_MAX_DEPTH = 64
_HEADS, _PREFIX = ("head_nets.0.", "head_nets.1."), "network."
_OLDER = ("CompositeField2", "CompositeField3")


@dataclass(frozen=True)
class Content:
    """What a file of weights holds.

    Args:
        state: Tensors under the names of `CompositeNetwork`.
        skeleton: Of the heads; None where the file does not say.
        params: Of the network, which the tensors determine.
        config: Of the config.json beside it.
    """

    state: State
    skeleton: Skeleton | None = None
    params: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


def read(path: str, caller: str) -> Content:
    """The weights in a file of OpenPifPaf (.pkl), in a folder of `save`, or in a state dict.

    Raises:
        WeightsNeeded: If there are none.
        BadParameter: If they are no network with heads of composite fields.
    """
    if Path(path).suffix == OFFICIAL and Path(path).is_file():
        return _official(Path(path), caller)
    own = weights.checkpoint(path, caller)
    state = {key.removeprefix(_PREFIX): value for key, value in own.state.items()}
    facts, skeleton = own.config.get("skeleton"), None
    if isinstance(facts, dict):
        skeleton = from_facts(facts, caller, f"{own.name}'s config.json")
    if "spec" in own.config:
        return Content(state, skeleton, config=own.config)
    return Content(state, skeleton, _shape(state, skeleton or COCO, own.name, caller), own.config)


def _official(path: Path, caller: str) -> Content:
    content = pickles.read(path, caller)
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, Inert):
        raise BadParameter(
            f"{caller} needs a network under 'model' in {path.name}, got "
            f"{type(model).__name__}. Pass another file."
        )
    heads = _heads(model)
    older = [type(head).__name__ for head in heads if type(head).__name__ in _OLDER]
    if older:
        raise BadParameter(
            f"{caller} needs heads of CompositeField4 in {path.name}, got {older[0]}, whose "
            "channels mean other numbers. Use a checkpoint of OpenPifPaf 0.12 or later."
        )
    names = tuple(_HEADS)
    state = {
        key: value
        for key, value in _tensors(model, "", 0)
        if not key.startswith("head_nets.") or key.startswith(names)
    }
    skeleton = _skeleton(heads, path, caller)
    return Content(state, skeleton, _shape(state, skeleton, path.name, caller))


def _heads(model: Inert) -> list[Inert]:
    nets = _child(model, "head_nets")
    own = nets.table("_modules") if nets is not None else {}
    return [head for head in own.values() if isinstance(head, Inert)]


def _child(module: Inert, name: str) -> Inert | None:
    child = module.table("_modules").get(name)
    return child if isinstance(child, Inert) else None


def _tensors(module: Inert, prefix: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a module and those inside it."""
    if depth > _MAX_DEPTH:
        return
    for table in _CHILDREN:
        for name, value in module.table(table).items():
            if isinstance(value, Tensor):
                yield f"{prefix}{name}", value
            elif isinstance(value, Inert):
                yield from _tensors(value, f"{prefix}{name}.", depth + 1)


def _skeleton(heads: list[Inert], path: Path, caller: str) -> Skeleton:
    """The skeleton in the metas of the heads; COCO's where its joints and edges are those."""
    metas = [head.state.get("meta") for head in heads[:2]]
    if len(metas) < 2 or not all(isinstance(meta, Inert) for meta in metas):
        raise BadParameter(
            f"{caller} needs two heads with a meta in {path.name}, got {len(heads)} heads. "
            "Pass another file."
        )
    intensity, association = (meta.state for meta in metas if isinstance(meta, Inert))
    joints, pairs = intensity.get("keypoints"), association.get("skeleton")
    try:
        edges = [(int(a) - 1, int(b) - 1) for a, b in pairs or ()]
        sigmas = intensity.get("sigmas") or [0.05] * len(joints or ())
        facts = {"joints": list(joints or ()), "edges": edges, "sigmas": sigmas, "pose": ()}
    except (TypeError, ValueError) as error:
        raise BadParameter(
            f"{caller} needs pairs of joints as the skeleton in {path.name}, got {pairs!r}."
        ) from error
    own = from_facts({**facts, "category": "person"}, caller, path.name)
    return COCO if (own.joints, own.edges) == (COCO.joints, COCO.edges) else own


def _shape(state: State, skeleton: Skeleton, name: str, caller: str) -> dict[str, Any]:
    """The parameters that the tensors determine: the upsampling, and which ShuffleNet it is."""
    params: dict[str, Any] = {}
    bias = state.get("head_nets.0.conv.bias")
    if bias is not None and len(bias) % (5 * len(skeleton.joints)) == 0:
        params["upsample"] = math.isqrt(len(bias) // (5 * len(skeleton.joints)))
    first = state.get("base_net.input_block.0.0.weight")
    if first is not None:
        by_channels = {channels[0]: arch for arch, (_, channels) in SHAPES.items()}
        params["arch"] = by_channels.get(len(first), "shufflenetv2k16")
    if bias is None:
        raise BadParameter(
            f"{caller} needs weights with head_nets.0.conv.bias, got none in {name}. "
            "Pass a folder of imrep train composite, or a checkpoint of OpenPifPaf."
        )
    return params
