"""Vision transformers of timm, cut behind a block: their tokens, their own pooling, attention."""

import inspect
import warnings
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from imrep.errors import BadParameter
from imrep.networks.attention import Recorder
from imrep.networks.built import Built, Request, resampling

# The stages of loading are those of every network of timm.
from imrep.networks.timm_networks import (
    Filter,
    _classifiers,
    _facts,
    _full_network,
    _named,
    own_facts,
)
from imrep.weights import Checkpoint, huggingface_names, packages, strict

_MODULES = (  # of timm, whose networks give their tokens behind any block
    "vision_transformer",
    "vision_transformer_hybrid",
    "vision_transformer_relpos",
    "deit",
    "eva",
    "beit",
)
_SCALES = ("gamma", "gamma_1", "gamma_2")  # of residual branches


@dataclass(frozen=True)
class Attention:
    """The attention matrices of one pass.

    Args:
        blocks: Of each block, from the first: (batch, head, token, token).
        pooling: (batch, head, 1, token) of a network that pools by attention; else None.
    """

    blocks: tuple[Tensor, ...]
    pooling: Tensor | None = None


def names() -> list[str]:
    """The names in timm of the networks that `build` knows."""
    import timm

    return [name for module in _MODULES for name in timm.list_models(module=module)]


def build(request: Request, *, norm: bool) -> Built:
    """A transformer without its classifier and without the blocks behind `request.layer`.

    Args:
        request: `layer` is a block, from 0 for the first or from -1 for the last.
        norm: Whether its last normalisation stays, of tokens or of the vector as the network has
            it.

    Raises:
        BadParameter: If the tag, the block, the side or the pooling does not exist, or the weights
            are another network's.
        WeightsNeeded: If the weights are not available.
    """
    facts = _facts(request)
    weights = _translated(
        request.checkpoint(
            package=packages.holder(request.arch),
            repository=facts.get("hf_hub_id") or "",
            url=str(facts.get("url") or ""),
        )
    )
    registered = int(facts["input_size"][-1])
    facts = own_facts(facts, request, weights, fixed=True)
    side = int(request.side or facts["input_size"][-1])
    options = {"img_size": side} if side != registered else {}
    network, filter_names = _full_network(request, options)
    _check(network, request, side, registered)
    if weights is None:
        _cut(network, request, norm)
        _activate_residuals(network)
    else:
        _load(network, weights, filter_names, request, norm)
    return Built(
        network.eval(),
        side,
        fixed=True,
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        crop=float(facts.get("crop_pct") or 1.0),
        resampling=resampling(facts.get("interpolation")),
        differs=facts["differs"],
    )


def tokens(network: Any, x: Tensor) -> Tensor:
    """The tokens (batch, prefix + patch, width) behind the last block and normalisation."""
    outputs = network.forward_intermediates(
        x,
        indices=1,
        return_prefix_tokens=bool(network.num_prefix_tokens),
        norm=True,
        output_fmt="NLC",
        intermediates_only=True,
    )
    if not network.num_prefix_tokens:
        return outputs[-1]
    patches, prefix = outputs[-1]
    return torch.cat([prefix, patches], 1)


def attention(network: Any, x: Tensor, caller: str, arch: str) -> Attention:
    """The attention matrices of one pass of a network that `build` gave.

    Raises:
        BadParameter: If the network has other than one matrix a block.
    """
    with Recorder() as recorder:
        features = tokens(network, x)
    count = features.shape[1]
    blocks = [m for m in recorder.matrices if m.shape[-2:] == (count, count)]
    if len(blocks) != len(network.blocks):
        raise BadParameter(
            f"{caller} needs one attention matrix a block, got {len(blocks)} from "
            f"{len(network.blocks)} blocks of {arch}. Use show=components."
        )
    return Attention(tuple(blocks), _pooling_attention(network, features))


def _pooling_attention(network: Any, features: Tensor) -> Tensor | None:
    """The row by which a network with a learned query pools all of its tokens."""
    if getattr(network, "attn_pool", None) is None:
        return None
    with Recorder() as recorder:
        network.forward_head(features, pre_logits=True)
    matrices = [m for m in recorder.matrices if m.shape[-2] == 1]
    if len(matrices) != 1:
        return None
    skipped = features.shape[1] - matrices[0].shape[-1]  # prefix tokens that it leaves out
    return nn.functional.pad(matrices[0], (skipped, 0))


def head_count(network: Any) -> int:
    """Attention heads of the last block; 0 for a block of several attentions."""
    block = network.blocks[-1]
    return int(getattr(getattr(block, "attn", block), "num_heads", 0))


def stride(network: Any) -> int:
    """Side of a patch in pixels."""
    embed = network.patch_embed
    ratio = embed.feat_ratio() if hasattr(embed, "feat_ratio") else embed.patch_size
    return int(ratio[0] if isinstance(ratio, tuple | list) else ratio)


def _translated(weights: Checkpoint | None) -> Checkpoint | None:
    """Tensors of the network alone, under timm's names where transformers has others."""
    if weights is None:
        return None
    if "spec" in weights.config:
        return weights
    return replace(weights, state=huggingface_names.to_timm(weights.state))


def _check(network: Any, request: Request, side: int, registered: int) -> None:
    """Refuse networks that are no plain transformers, and blocks and sides that do not exist."""
    forward = getattr(network, "forward_intermediates", None)
    options = inspect.signature(forward).parameters if forward else {}
    if "return_prefix_tokens" not in options or not hasattr(network, "patch_embed"):
        raise BadParameter(
            f"{request.caller} needs arch to be a vision transformer with one grid of tokens, got "
            f"{request.arch}. Use cnn:arch={request.arch}."
        )
    depth, patch = len(network.blocks), stride(network)
    if not -depth <= int(request.layer) < depth:
        raise BadParameter(
            f"{request.caller} needs layer to be a block of {request.arch} from {-depth} to "
            f"{depth - 1}, got {request.layer}. Try -1."
        )
    if side % patch:
        nearest = max(patch, round(side / patch) * patch)
        raise request.no_side(f"it is no multiple of its patches of {patch}", nearest)
    if request.pooling in ("token", "both") and network.cls_token is None:
        raise BadParameter(
            f"{request.caller} cannot pool {request.arch} by pooling={request.pooling}: it has no "
            "class token. Use mean or head."
        )


def _load(
    network: Any, weights: Checkpoint, filter_names: Filter | None, request: Request, norm: bool
) -> None:
    """Load the weights and cut the network, in place. A file must hold what is cut off, too."""
    own, head = network.state_dict(), _classifiers(network)
    with warnings.catch_warnings():  # of the speed at which timm interpolates positions
        warnings.simplefilter("ignore", UserWarning)
        state = _named(weights, {}, network, filter_names, request)
    state = {
        key: value for key, value in state.items() if key in own or not _is_no_bias(key, value)
    }
    _cut(network, request, norm)
    needed = set(network.state_dict()) if weights.ours else None  # `save` wrote no more
    state = strict.fit(state, own, request.arch, request.caller, required=needed, head=head)
    network.load_state_dict(state, strict=False)


def _is_no_bias(key: str, value: Tensor) -> bool:
    """Whether it is a bias of queries or values that is zero, as in networks without one."""
    return key.endswith((".attn.q_bias", ".attn.v_bias")) and not value.any()


def _cut(network: Any, request: Request, norm: bool) -> None:
    """Remove, in place, the classifier and what lies behind the block."""
    depth = len(network.blocks)
    network.blocks = network.blocks[: int(request.layer) % depth + 1]
    if not norm:
        network.norm = nn.Identity()
        network.fc_norm = nn.Identity()
    network.reset_classifier(0)
    if request.pooling != "head" and getattr(network, "attn_pool", None) is not None:
        network.attn_pool = None


def _activate_residuals(network: nn.Module) -> None:
    """Set scales of residual branches that timm initialises with nearly zero to one.

    With random weights these branches would otherwise contribute nothing.
    """
    for name, parameter in network.named_parameters():
        if name.rpartition(".")[2] in _SCALES:
            nn.init.ones_(parameter)
