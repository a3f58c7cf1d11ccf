"""Names of tensors: prefixes of trainers, and the naming of other libraries."""

import re
from collections.abc import Collection

from imrep.weights.files import State

# The prefixes of wrappers: `save`, DataParallel, torch.compile, Lightning, transformers.
_PREFIXES = (
    "network.whole.",
    "network.",
    "module.",
    "_orig_mod.",
    "model.",
    "net.",
    "backbone.",
    "timm_model.",
)
_OUTSIDE = (
    "head",
    "fc",
    "classifier",
    "n_averaged",
)  # tensors of trainers outside the wrapped network
_BLOCK = re.compile(r"_blocks\.(\d+)\.(.+)")
_STAGE = re.compile(r"blocks\.(\d+)\.(\d+)\.")
_EFFICIENTNET = {
    "_conv_stem.": "conv_stem.",
    "_bn0.": "bn1.",
    "_conv_head.": "conv_head.",
    "_bn1.": "bn2.",
    "_fc.": "classifier.",
}
_EXPANDING = {
    "_expand_conv.": "conv_pw.",
    "_bn0.": "bn1.",
    "_depthwise_conv.": "conv_dw.",
    "_bn1.": "bn2.",
    "_se_reduce.": "se.conv_reduce.",
    "_se_expand.": "se.conv_expand.",
    "_project_conv.": "conv_pwl.",
    "_bn2.": "bn3.",
}
_FIRST = _EXPANDING | {  # a block that does not expand
    "_depthwise_conv.": "conv_dw.",
    "_bn1.": "bn1.",
    "_project_conv.": "conv_pw.",
    "_bn2.": "bn2.",
}


def unwrap(state: State, names: Collection[str]) -> State:
    """The state without the prefixes that all its names share.

    Heads outside the wrapped network are dropped with the prefix.

    Args:
        state: Tensors by name.
        names: The network's own names, which are never shortened.
    """
    while True:
        body = [key for key in state if key.partition(".")[0] not in _OUTSIDE]
        prefix = next((p for p in _PREFIXES if _shared_prefix(p, body)), None)
        if prefix is None or set(body) <= set(names):
            return state
        wrapped = (key for key in state if key.startswith(prefix))
        state = {key.removeprefix(prefix): state[key] for key in wrapped}


def translate(state: State, names: Collection[str]) -> State:
    """The state of `efficientnet_pytorch` under timm's names; any other unchanged.

    That library numbers all blocks consecutively, timm stage by stage.

    Args:
        state: Tensors by name.
        names: The network's own names.
    """
    if "_conv_stem.weight" not in state or "conv_stem.weight" not in names:
        return state
    stages = {(int(m[1]), int(m[2])) for m in map(_STAGE.match, names) if m}
    blocks = [f"blocks.{stage}.{block}." for stage, block in sorted(stages)]
    expanding = {m[1] for m in map(_BLOCK.match, state) if m and m[2] == "_expand_conv.weight"}

    def rename(key: str) -> str:
        block = _BLOCK.match(key)
        if block is None:
            return _replace_start(key, _EFFICIENTNET)
        if int(block[1]) >= len(blocks):
            return key
        roles = _EXPANDING if block[1] in expanding else _FIRST
        return blocks[int(block[1])] + _replace_start(block[2], roles)

    return {rename(key): value for key, value in state.items()}


def _shared_prefix(prefix: str, names: Collection[str]) -> bool:
    return bool(names) and all(name.startswith(prefix) for name in names)


def _replace_start(name: str, table: dict[str, str]) -> str:
    start = next((old for old in table if name.startswith(old)), None)
    return name if start is None else table[start] + name.removeprefix(start)
