"""Networks of timm: truncated behind a stage, or complete up to the classifier."""

import contextlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from imrep.errors import BadParameter
from imrep.networks.built import FAULTS, SUMMARIES, Built, Request, brief, resampling
from imrep.weights import Checkpoint, State, packages, seeded, strict
from imrep.weights.names import translate, unwrap

Filter = Callable[..., State]

_patching = threading.Lock()
# What timm logs about weights is checked and raised here; a handler of the user still receives it.
logging.getLogger("timm").addHandler(logging.NullHandler())


class _Pooled(nn.Module):
    """A network up to its classifier: the map of its last features, and the vector it pools."""

    def __init__(self, network: nn.Module, token: bool) -> None:
        super().__init__()
        self.add_module("whole", network)  # part of the names in saved weights
        self.token = token

    @property
    def network(self) -> Any:
        """The module, with timm's own methods."""
        return self.get_submodule("whole")

    def forward(self, x: Tensor) -> list[Tensor]:
        """The map and the vector."""
        features = self.network.forward_features(x)
        if self.token:
            return [self._map(features), features[:, 0]]
        return [self._map(features), self.network.forward_head(features, pre_logits=True)]

    def _map(self, features: Tensor) -> Tensor:
        if features.ndim == 4:
            return features.permute(0, 3, 1, 2) if _channels_last(self.network) else features
        patches = features[:, getattr(self.network, "num_prefix_tokens", 0) :]
        return patches.mT.unflatten(2, tuple(self.network.patch_embed.grid_size))


def build(request: Request) -> Built:
    """A network of timm with its weights, their input size and their normalisation.

    Raises:
        BadParameter: If the tag, the stage, the size or the pooling does not exist, or the weights
            are another network's.
        WeightsNeeded: If the weights are not available.
    """
    weights, facts, options = _sources(request)
    side = int(request.side or facts["input_size"][-1])
    network: nn.Module
    if request.pooling in SUMMARIES:
        network = _pooled(request, weights, options)
    elif request.named_layers:
        network = _named_layers(request, weights, options, side)
    else:
        network = _stage(request, weights, options)
    if request.pooling in SUMMARIES or request.side:
        _try(network, side, request, int(facts["input_size"][-1]))
    # Some of timm's truncated networks collect maps by hooks, which all threads share.
    hooks = getattr(network, "hooks", None) or getattr(network, "feature_hooks", None)
    return _built(network, side, facts, serial=hooks is not None)


def complete(request: Request) -> Built:
    """A network of timm with its weights and their classifier.

    Raises:
        BadParameter: If the tag does not exist, or the weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    weights, facts, options = _sources(request)
    network = _loaded(request, weights, options, classifies=True).eval()
    return _built(network, int(request.side or facts["input_size"][-1]), facts)


def _sources(request: Request) -> tuple[Checkpoint | None, dict[str, Any], dict[str, Any]]:
    """The weights, what is known of their images, and timm's options for another size."""
    facts = _facts(request)
    weights = request.checkpoint(
        package=packages.holder(request.arch),
        repository=facts.get("hf_hub_id") or "",
        url=str(facts.get("url") or ""),
    )
    registered = facts["input_size"][-1]
    fixed = bool(facts.get("fixed_input_size"))
    facts = own_facts(facts, request, weights, fixed)
    side = int(request.side or facts["input_size"][-1])
    return weights, facts, {"img_size": side} if fixed and side != registered else {}


def _built(network: nn.Module, side: int, facts: dict[str, Any], serial: bool = False) -> Built:
    return Built(
        network,
        side,
        fixed=bool(facts.get("fixed_input_size")),
        serial=serial,
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        crop=float(facts.get("crop_pct") or 1.0),
        resampling=resampling(facts.get("interpolation")),
        differs=facts["differs"],
    )


def _facts(request: Request) -> dict[str, Any]:
    import timm

    try:
        facts = timm.get_pretrained_cfg(request.arch)
    except RuntimeError as error:  # its message names the tag
        raise BadParameter(
            f"{request.caller} needs arch to be a network of timm, got {request.arch!r}: {error} "
            "Leave the tag out for its first."
        ) from error
    assert facts is not None  # since is_model(arch)
    return dict(facts.to_dict())


def own_facts(
    facts: dict[str, Any], request: Request, weights: Checkpoint | None, fixed: bool
) -> dict[str, Any]:
    """The facts, with those of the weights' own configuration, and whether these differ."""
    own = facts | request.facts(weights)
    compared = ("mean", "std", "input_size") if fixed and not request.side else ("mean", "std")
    return own | {"differs": any(tuple(own[key]) != tuple(facts[key]) for key in compared)}


def _stage(request: Request, weights: Checkpoint | None, options: dict[str, Any]) -> nn.Module:
    """The network as timm truncates it behind the stage."""
    network = _cut(request, request.stage, options)
    if weights is None:
        return network
    full, filter_names = _full_network(request, options)
    own = full.state_dict()
    last = network
    if request.stage != -1:
        with torch.device("meta"):  # only its names are needed
            last = _cut(request, -1, options)
    aliases = _aliases(last, own)
    # What `save` wrote of a truncated network holds only that part.
    needed = _aliases(network, own).values() if weights.ours else aliases.values()
    state = _named(weights, aliases, full, filter_names, request)
    state = strict.fit(
        state, own, request.arch, request.caller, required=set(needed), head=_classifiers(full)
    )
    network.load_state_dict(
        {key: state[name] for key, name in _used(network, own, state)}, strict=False
    )
    return network


def _pooled(request: Request, weights: Checkpoint | None, options: dict[str, Any]) -> nn.Module:
    """The network up to its classifier."""
    if request.layer != -1:
        raise request.no_pooling(f"it reads the last stage, not layer={request.layer}")
    network = _loaded(request, weights, options)
    token = request.pooling == "token"
    if token and getattr(network, "cls_token", None) is None:
        raise request.no_pooling("it has no class token")
    if not token and "pre_logits" not in inspect.signature(network.forward_head).parameters:
        raise request.no_pooling("it has no features before its classifier")
    network.reset_classifier(0)
    return _Pooled(network, token)


def _named_layers(
    request: Request, weights: Checkpoint | None, options: dict[str, Any], side: int
) -> nn.Module:
    """The network up to the last of the layers that are named."""
    network = _loaded(request, weights, options).eval()
    classifiers = _classifiers(network)
    for name in classifiers:
        network.set_submodule(name, nn.Identity())
    modules = [info.get("module", "") for info in _stage_facts(network)]
    stages = modules if all(modules) else []
    classifier = classifiers[0] if classifiers else ""
    return request.layers_of(network, stages, classifier, torch.zeros(1, 3, side, side))


def _stage_facts(network: Any) -> list[dict[str, Any]]:
    """What timm says of each stage."""
    facts = getattr(network, "feature_info", None) or []
    return list(getattr(facts, "info", facts))


def _loaded(
    request: Request,
    weights: Checkpoint | None,
    options: dict[str, Any],
    classifies: bool = False,
) -> Any:
    """The complete network; its classifier is that of the weights where it `classifies`."""
    network, filter_names = _full_network(request, options)
    if weights is None:
        return _activate_residuals(network)
    head = _classifiers(network)
    state = _named(weights, {}, network, filter_names, request)
    if classifies:
        classes = next(
            (len(state[key]) for key in (f"{n}.weight" for n in head) if key in state), 0
        )
        if classes not in (0, network.num_classes):
            network.reset_classifier(classes)
    own = network.state_dict()
    state = strict.fit(state, own, request.arch, request.caller, head=() if classifies else head)
    network.load_state_dict(state, strict=False)
    return network


def _cut(request: Request, layer: int, options: dict[str, Any]) -> nn.Module:
    import timm

    def create() -> nn.Module:
        return timm.create_model(
            request.arch, pretrained=False, features_only=True, out_indices=(layer,), **options
        )

    try:
        network = _activate_residuals(seeded(create))
    except FAULTS as error:
        if layer != -1:
            _cut(request, -1, options)  # raises if the layer is not the cause
            raise request.no_stage() from error
        raise BadParameter(
            f"{request.caller} needs a network that gives maps, got {request.arch}: "
            f"{brief(error)}. Use pooling=head, or another arch."
        ) from error
    if _channels_last(network):
        network.register_forward_hook(_channels_first)  # a wrapper would rename the weights
    return network


def _channels_last(network: nn.Module) -> bool:
    """Whether the channel axis is last: timm's `output_fmt` is a string or an Enum."""
    return str(getattr(network, "output_fmt", "")).endswith("NHWC")


def _channels_first(_: nn.Module, inputs: object, maps: list[Tensor]) -> list[Tensor]:
    """A hook for networks whose channel axis is last, as in Swin transformers."""
    return [features.permute(0, 3, 1, 2) for features in maps]


def _activate_residuals(network: nn.Module) -> nn.Module:
    """Set scales of residual branches that timm initialises with zero to one.

    With random weights these branches would otherwise contribute nothing.
    """
    for module in network.modules():
        if not isinstance(module, nn.BatchNorm2d) or not module.affine or module.weight.is_meta:
            continue
        if not module.weight.any():
            nn.init.ones_(module.weight)
    return network


def _full_network(request: Request, options: dict[str, Any]) -> tuple[Any, Filter | None]:
    """The complete network with random weights, and timm's renaming of its published weights."""
    import timm

    filters: list[Filter | None] = []
    try:
        with _instead_of_loading(filters.append):
            network = seeded(lambda: timm.create_model(request.arch, pretrained=True, **options))
    except FAULTS as error:
        raise BadParameter(
            f"{request.caller} cannot build {request.arch}: {brief(error)}. Use another arch."
        ) from error
    return network, next(iter(filters), None)


@contextlib.contextmanager
def _instead_of_loading(collect: Callable[[Filter | None], None]) -> Iterator[None]:
    """In this block and thread, timm passes its renaming function on instead of loading weights.

    timm does not expose these functions, and loads with strict=False. If another version calls
    them differently, nothing is renamed, and `strict.fit` decides.
    """
    from timm.models import _builder

    load, thread = _builder.load_pretrained, threading.get_ident()

    def hand_over(*args: Any, **more: Any) -> Any:
        if threading.get_ident() != thread:
            return load(*args, **more)
        return collect(more.get("filter_fn"))

    with _patching:
        _builder.load_pretrained = hand_over
        try:
            yield
        finally:
            _builder.load_pretrained = load


def _named(
    weights: Checkpoint,
    aliases: dict[str, str],
    network: nn.Module,
    filter_names: Filter | None,
    request: Request,
) -> State:
    """The file's tensors under the names of the complete network."""
    names = {*network.state_dict(), *aliases}
    state = translate(unwrap(weights.state, names), names)
    state = {aliases.get(key, key): value for key, value in state.items()}
    own = network.state_dict()
    fitting = all(key in own and own[key].shape == state[key].shape for key in state)
    if filter_names is None or (weights.ours and fitting):
        return state
    try:
        try:
            renamed = filter_names(dict(state), network)
        except TypeError:  # a few take no network
            renamed = filter_names(dict(state))
    except Exception as error:  # on foreign tensors a renaming raises arbitrary exceptions
        strict.fit(state, own, request.arch, request.caller, head=_classifiers(network))
        raise strict.misfit(
            request.arch, request.caller, f"{next(iter(state))!r}, … ({brief(error)})"
        ) from error
    for key, value in renamed.items():
        before = state.get(key, value)
        if before.numel() != value.numel() and "pos" not in key:  # positions are interpolated
            shapes = f"{tuple(before.shape)} in place of {tuple(value.shape)}"
            raise strict.misfit(request.arch, request.caller, f"{key!r} has shape {shapes}")
    return renamed


def _aliases(cut: nn.Module, own: State) -> dict[str, str]:
    """Names in the truncated network to names in the complete one.

    timm prefixes `model.` or `body.`, or joins two parts by an underscore.
    """
    by_words = {name.replace(".", "_"): name for name in own}
    aliases = {}
    for key in cut.state_dict():
        short = key.removeprefix("model.").removeprefix("body.")
        words = (key.replace(".", "_"), short.replace(".", "_"))
        aliases[key] = next(by_words[word] for word in words if word in by_words)
    return aliases


def _used(cut: nn.Module, own: State, state: State) -> list[tuple[str, str]]:
    return [(key, name) for key, name in _aliases(cut, own).items() if name in state]


def _classifiers(network: Any) -> tuple[str, ...]:
    named = network.pretrained_cfg.get("classifier") or ()
    return (named,) if isinstance(named, str) else tuple(named)


def _try(network: nn.Module, side: int, request: Request, usual: int) -> None:
    """Run one blank image to refuse a size or a pooling that the network does not support."""
    try:
        with torch.no_grad():
            outputs = network.eval()(torch.zeros(1, 3, side, side))
    except FAULTS as error:
        if request.side is None:
            raise request.no_pooling(brief(error)) from error
        raise request.no_side(brief(error), usual) from error
    if request.pooling in SUMMARIES and outputs[1].ndim != 2:
        raise request.no_pooling("what it pools is no vector")
