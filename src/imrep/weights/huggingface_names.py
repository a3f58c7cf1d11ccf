"""Vision transformers of Hugging Face's transformers library under the names of timm.

ViT, DINOv2 (with and without registers), DINOv3 and SigLIP's image tower. There each projection of
the attention is a matrix of its own, in timm one matrix holds queries, keys and values.
"""

import re

import torch

from imrep.weights.files import State

_QUERY_KEY_VALUE = ("query", "key", "value")
_LAYERS = re.compile(r"^(?:.*\.)?encoder\.layers?\.(\d+)\.(.+)$")
_DINOV3 = re.compile(r"^(.*\.)?layer\.(\d+)\.(.+)$")
_IN_DINOV3 = {
    "attention.q_proj.weight": "attn.query.weight",
    "attention.k_proj.weight": "attn.key.weight",
    "attention.v_proj.weight": "attn.value.weight",
    "attention.q_proj.bias": "attn.q_bias",
    "attention.v_proj.bias": "attn.v_bias",
    "attention.o_proj.": "attn.proj.",
    "layer_scale1.lambda1": "gamma_1",
    "layer_scale2.lambda1": "gamma_2",
    "mlp.gate_proj.": "mlp.fc1_g.",
    "mlp.down_proj.": "mlp.fc2.",
}
_OUTSIDE_DINOV3 = {
    "embeddings.cls_token": "cls_token",
    "embeddings.register_tokens": "reg_token",
    "embeddings.patch_embeddings.": "patch_embed.proj.",
}
_IN_BLOCK = {  # of ViT and DINOv2, and of SigLIP
    "attention.attention.query.": "attn.query.",
    "attention.attention.key.": "attn.key.",
    "attention.attention.value.": "attn.value.",
    "attention.output.dense.": "attn.proj.",
    "layernorm_before.": "norm1.",
    "layernorm_after.": "norm2.",
    "intermediate.dense.": "mlp.fc1.",
    "output.dense.": "mlp.fc2.",
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
    "mlp.weights_in.": "mlp.fc1.",
    "mlp.weights_out.": "mlp.fc2.",
    "self_attn.q_proj.": "attn.query.",
    "self_attn.k_proj.": "attn.key.",
    "self_attn.v_proj.": "attn.value.",
    "self_attn.out_proj.": "attn.proj.",
    "layer_norm1.": "norm1.",
    "layer_norm2.": "norm2.",
}
_OUTSIDE = {
    "embeddings.cls_token": "cls_token",
    "embeddings.register_tokens": "reg_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection.": "patch_embed.proj.",
    "embeddings.patch_embedding.": "patch_embed.proj.",
    "embeddings.position_embedding.weight": "pos_embed",
    "layernorm.": "norm.",
    "post_layernorm.": "norm.",
    "head.probe": "attn_pool.latent",
    "head.attention.out_proj.": "attn_pool.proj.",
    "head.layernorm.": "attn_pool.norm.",
    "head.mlp.": "attn_pool.mlp.",
}
_UNUSED = ("embeddings.mask_token", "pooler.dense.weight", "pooler.dense.bias")


def to_timm(state: State) -> State:
    """The state of such a network under timm's names; any other unchanged.

    What a larger model holds beside the network (a text tower, a decoder) is dropped.
    """
    if any(key.endswith("layer.0.attention.o_proj.weight") for key in state):
        return _of_dinov3(state)
    layers = [key for key in state if _LAYERS.match(key) and "text_model." not in key]
    if not layers:
        return state
    root = layers[0][: layers[0].index("encoder.layer")]
    own = {k.removeprefix(root): v for k, v in state.items() if k.startswith(root)}
    renamed: State = {}
    for key, value in own.items():
        if key not in _UNUSED:
            renamed[_renamed(key)] = value
    return _joined_pooling(_joined(_with_positions(renamed)))


def _of_dinov3(state: State) -> State:
    """DINOv3, whose layers have no encoder around them.

    timm has each network with and without biases of queries and values; without, they are zero.
    """
    first = next(key for key in state if key.endswith("layer.0.attention.o_proj.weight"))
    root = first[: -len("layer.0.attention.o_proj.weight")]
    own = {k.removeprefix(root): v for k, v in state.items() if k.startswith(root)}
    gated = "layer.0.mlp.gate_proj.weight" in own
    table = _IN_DINOV3 | {"mlp.up_proj.": "mlp.fc1_x." if gated else "mlp.fc1."}
    renamed: State = {}
    for key, value in own.items():
        if layer := _DINOV3.match(key):
            renamed[f"blocks.{layer[2]}.{_start_replaced(layer[3], table)}"] = value
        elif key != "embeddings.mask_token":
            renamed[_start_replaced(key, _OUTSIDE_DINOV3)] = value
    return _joined(renamed)


def _renamed(key: str) -> str:
    if layer := _LAYERS.match(key):
        return f"blocks.{layer[1]}.{_start_replaced(layer[2], _IN_BLOCK)}"
    return _start_replaced(key, _OUTSIDE)


def _start_replaced(key: str, table: dict[str, str]) -> str:
    old = next((old for old in table if key.startswith(old)), None)
    return key if old is None else table[old] + key.removeprefix(old)


def _joined(state: State) -> State:
    """Queries, keys and values of every block as one matrix."""
    joined: State = {}
    for key, value in state.items():
        block, name, kind = key.partition(".attn.query.")
        parts = [f"{block}.attn.{part}.{kind}" for part in _QUERY_KEY_VALUE]
        if name and all(part in state for part in parts):
            joined[f"{block}.attn.qkv.{kind}"] = torch.cat([state[part] for part in parts])
        elif not re.search(r"\.attn\.(key|value)\.", key):
            joined[key] = value
    return joined


def _joined_pooling(state: State) -> State:
    """SigLIP's pooling: the one matrix as that of the queries and that of keys and values."""
    for kind in ("weight", "bias"):
        if (both := state.pop(f"head.attention.in_proj_{kind}", None)) is not None:
            query, key, value = both.chunk(3)
            state[f"attn_pool.q.{kind}"] = query
            state[f"attn_pool.kv.{kind}"] = torch.cat([key, value])
    return state


def _with_positions(state: State) -> State:
    """Positions as timm has them.

    With registers, the class token's is added to that token. Those of SigLIP have no axis of
    images.
    """
    positions = state.get("pos_embed")
    if positions is not None and positions.ndim == 2:
        return {**state, "pos_embed": positions[None]}
    if positions is not None and "reg_token" in state and "cls_token" in state:
        token = state["cls_token"] + positions[:, :1]
        return {**state, "cls_token": token, "pos_embed": positions[:, 1:]}
    return state
