"""Networks of timm: cut off behind a stage, or entire up to the classifier."""

import contextlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from imrep.errors import BadParameter
from imrep.networks.built import Built, Request
from imrep.weights import Checkpoint, State, seeded, strict
from imrep.weights.names import translate, unwrap

Filter = Callable[..., State]

_FAULTS = (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
_patching = threading.Lock()
# What timm logs about weights is checked here and raised; a handler of the user's still gets it.
logging.getLogger("timm").addHandler(logging.NullHandler())


class _Pooled(nn.Module):
    """A network up to its classifier: the map of its last features, and what it pools from them."""

    whole: Any  # a module with timm's own methods

    def __init__(self, whole: nn.Module, token: bool) -> None:
        super().__init__()
        self.whole, self.token = whole, token

    def forward(self, x: Tensor) -> list[Tensor]:
        """The map and the vector."""
        features = self.whole.forward_features(x)
        if self.token:
            return [self._map(features), features[:, 0]]
        return [self._map(features), self.whole.forward_head(features, pre_logits=True)]

    def _map(self, features: Tensor) -> Tensor:
        if features.ndim == 4:
            return features.permute(0, 3, 1, 2) if _channels_last(self.whole) else features
        patches = features[:, getattr(self.whole, "num_prefix_tokens", 0) :]
        return patches.mT.unflatten(2, tuple(self.whole.patch_embed.grid_size))


def build(request: Request) -> Built:
    """A network of timm with the numbers, the size and the normalisation of its weights.

    Raises:
        BadParameter: If the tag, the stage, the size or the pooling does not exist, or the weights
            are another network's.
        WeightsNeeded: If the weights are not at hand.
    """
    facts = _facts(request)
    found = request.checkpoint(
        repository=facts.get("hf_hub_id") or "", url=str(facts.get("url") or "")
    )
    registered = facts["input_size"][-1]
    facts |= _own_facts(found)
    side = int(request.side or facts["input_size"][-1])
    fixed = bool(facts.get("fixed_input_size"))
    options = {"img_size": side} if fixed and side != registered else {}
    if request.pooling == "mean":
        network = _stage(request, found, options)
    else:
        network = _pooled(request, found, options)
    if request.pooling != "mean" or request.side:
        _try(network, side, request, int(facts["input_size"][-1]))
    # Some of timm's cuts collect maps by hooks, which all threads share.
    hooks = getattr(network, "hooks", None) or getattr(network, "feature_hooks", None)
    return Built(
        network,
        side,
        fixed=fixed,
        serial=hooks is not None,
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
    )


def _facts(request: Request) -> dict[str, Any]:
    import timm

    try:
        facts = timm.get_pretrained_cfg(request.arch)
    except RuntimeError as error:  # which names the tag
        raise BadParameter(
            f"{request.who} needs arch to be a network of timm, got {request.arch!r}: {error} "
            "Leave the tag out for its first."
        ) from error
    assert facts is not None  # since is_model(arch)
    return dict(facts.to_dict())


def _own_facts(found: Checkpoint | None) -> dict[str, Any]:
    """What a snapshot's own config.json says of size and normalisation."""
    own = found.config.get("pretrained_cfg", {}) if found else {}
    named = ("input_size", "mean", "std")
    return {key: own[key] for key in named if isinstance(own, dict) and own.get(key)}


def _stage(request: Request, found: Checkpoint | None, options: dict[str, Any]) -> nn.Module:
    """The network as timm cuts it off behind the stage."""
    network = _cut(request, request.layer, options)
    if found is None:
        return network
    whole, filter_names = _whole(request, options)
    own = whole.state_dict()
    last = network
    if request.layer != -1:
        with torch.device("meta"):  # its names are all that is looked at
            last = _cut(request, -1, options)
    aliases = _aliases(last, own)
    # What `save` wrote of a network that was cut off has no more than that part.
    needed = _aliases(network, own).values() if found.ours else aliases.values()
    state = _named(found, aliases, whole, filter_names, request)
    state = strict.fit(
        state, own, request.arch, request.who, required=set(needed), head=_classifiers(whole)
    )
    network.load_state_dict(
        {key: state[name] for key, name in _used(network, own, state)}, strict=False
    )
    return network


def _pooled(request: Request, found: Checkpoint | None, options: dict[str, Any]) -> nn.Module:
    """The network up to its classifier."""
    if request.layer != -1:
        raise request.no_pooling(f"it reads the last stage, not layer={request.layer}")
    whole, filter_names = _whole(request, options)
    head = _classifiers(whole)
    if found is None:
        _awake(whole)
    else:
        own = whole.state_dict()
        state = _named(found, {}, whole, filter_names, request)
        state = strict.fit(state, own, request.arch, request.who, head=head)
        whole.load_state_dict(state, strict=False)
    token = request.pooling == "token"
    if token and getattr(whole, "cls_token", None) is None:
        raise request.no_pooling("it has no class token")
    if not token and "pre_logits" not in inspect.signature(whole.forward_head).parameters:
        raise request.no_pooling("it has no features before its classifier")
    whole.reset_classifier(0)
    return _Pooled(whole, token)


def _cut(request: Request, layer: int, options: dict[str, Any]) -> nn.Module:
    import timm

    def make() -> nn.Module:
        return timm.create_model(
            request.arch, pretrained=False, features_only=True, out_indices=(layer,), **options
        )

    try:
        network = _awake(seeded(make))
    except _FAULTS as error:
        if layer != -1:
            _cut(request, -1, options)  # or the layer is not to blame
            raise request.no_stage() from error
        raise BadParameter(
            f"{request.who} needs a network that gives maps, got {request.arch}: {_brief(error)}. "
            "Use pooling=head, or another arch."
        ) from error
    if _channels_last(network):
        network.register_forward_hook(_channels_first)  # no wrapper: names of weights stay
    return network


def _channels_last(network: nn.Module) -> bool:
    """By timm's word for the order of axes: a string of a whole network, an Enum of a cut one."""
    return str(getattr(network, "output_fmt", "")).endswith("NHWC")


def _channels_first(_: nn.Module, inputs: object, maps: list[Tensor]) -> list[Tensor]:
    """As Swin transformers have theirs last."""
    return [features.permute(0, 3, 1, 2) for features in maps]


def _awake(network: nn.Module) -> nn.Module:
    """Residual branches that timm multiplies by zero before training, by one: else none speaks."""
    for module in network.modules():
        if not isinstance(module, nn.BatchNorm2d) or not module.affine or module.weight.is_meta:
            continue
        if not module.weight.any():
            nn.init.ones_(module.weight)
    return network


def _whole(request: Request, options: dict[str, Any]) -> tuple[Any, Filter | None]:
    """The entire network with random numbers, and timm's own renaming of its published weights."""
    import timm

    filters: list[Filter | None] = []
    try:
        with _instead_of_loading(filters.append):
            network = seeded(lambda: timm.create_model(request.arch, pretrained=True, **options))
    except _FAULTS as error:
        raise BadParameter(
            f"{request.who} cannot build {request.arch}: {_brief(error)}. Use another arch."
        ) from error
    return network, next(iter(filters), None)


@contextlib.contextmanager
def _instead_of_loading(note: Callable[[Filter | None], None]) -> Iterator[None]:
    """Within it, in this thread, timm hands over its renaming where it would load weights.

    timm keeps the function of each network where nothing public reaches it, and loads with
    strict=False. Should a version call it otherwise, nothing is renamed, and `strict.fit` decides.
    """
    from timm.models import _builder

    load, thread = _builder.load_pretrained, threading.get_ident()

    def hand_over(*args: Any, **more: Any) -> Any:
        if threading.get_ident() != thread:
            return load(*args, **more)
        return note(more.get("filter_fn"))

    with _patching:
        _builder.load_pretrained = hand_over
        try:
            yield
        finally:
            _builder.load_pretrained = load


def _named(
    found: Checkpoint,
    aliases: dict[str, str],
    whole: nn.Module,
    filter_names: Filter | None,
    request: Request,
) -> State:
    """The file's tensors under the names of the entire network."""
    names = {*whole.state_dict(), *aliases}
    state = translate(unwrap(found.state, names), names)
    state = {aliases.get(key, key): value for key, value in state.items()}
    own = whole.state_dict()
    fitting = all(key in own and own[key].shape == state[key].shape for key in state)
    if filter_names is None or (found.ours and fitting):
        return state
    try:
        try:
            renamed = filter_names(dict(state), whole)
        except TypeError:  # the few that take no network
            renamed = filter_names(dict(state))
    except Exception as error:  # on tensors it was not written for, a renaming fails in any way
        strict.fit(state, own, request.arch, request.who, head=_classifiers(whole))
        raise strict.misfit(
            request.arch, request.who, f"{next(iter(state))!r}, … ({_brief(error)})"
        ) from error
    for key, value in renamed.items():
        before = state.get(key, value)
        if before.numel() != value.numel() and "pos" not in key:  # positions are interpolated
            shapes = f"{tuple(before.shape)} in place of {tuple(value.shape)}"
            raise strict.misfit(request.arch, request.who, f"{key!r} has shape {shapes}")
    return renamed


def _aliases(cut: nn.Module, own: State) -> dict[str, str]:
    """A name in the network that is cut off -> its name in the entire one.

    timm puts `model.` or `body.` before, or joins two parts by an underscore.
    """
    by_words = {name.replace(".", "_"): name for name in own}
    found = {}
    for key in cut.state_dict():
        short = key.removeprefix("model.").removeprefix("body.")
        words = (key.replace(".", "_"), short.replace(".", "_"))
        found[key] = next(by_words[word] for word in words if word in by_words)
    return found


def _used(cut: nn.Module, own: State, state: State) -> list[tuple[str, str]]:
    return [(key, name) for key, name in _aliases(cut, own).items() if name in state]


def _classifiers(whole: Any) -> tuple[str, ...]:
    named = whole.pretrained_cfg.get("classifier") or ()
    return (named,) if isinstance(named, str) else tuple(named)


def _try(network: nn.Module, side: int, request: Request, usual: int) -> None:
    """One blank image: a size or a pooling that the network cannot do is refused at once."""
    try:
        with torch.no_grad():
            made = network.eval()(torch.zeros(1, 3, side, side))
    except _FAULTS as error:
        if request.side is None:
            raise request.no_pooling(_brief(error)) from error
        raise request.no_side(_brief(error), usual) from error
    if [one.ndim for one in made[1:]] not in ([], [2]):
        raise request.no_pooling("what it pools is no vector")


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}".rstrip(".: ")
