"""CLIP and SigLIP as transformers stores them, under the names of open_clip.

There each projection of the attention is a matrix of its own; in open_clip one matrix holds
queries, keys and values.
"""

import re
from typing import Any

import torch

from imrep.represent.language.clip.configuration import Sizes
from imrep.weights import State, configuration
from imrep.weights.files import Checkpoint

_LAYER = re.compile(r"^(text|vision)_model\.encoder\.layers\.(\d+)\.(.+)$")
_PARTS = {
    "self_attn.out_proj.": "attn.out_proj.",
    "layer_norm1.": "ln_1.",
    "layer_norm2.": "ln_2.",
    "mlp.fc1.": "mlp.c_fc.",
    "mlp.fc2.": "mlp.c_proj.",
}
_TIMM_PARTS = {
    "self_attn.out_proj.": "attn.proj.",
    "layer_norm1.": "norm1.",
    "layer_norm2.": "norm2.",
    "mlp.": "mlp.",
}
_TEXT = {
    "text_model.embeddings.token_embedding.": "token_embedding.",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.": "ln_final.",
    "text_model.head.": "text_projection.",
}
_VISION = {
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.": "visual.conv1.",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm.": "visual.ln_pre.",  # as it is spelt there
    "vision_model.post_layernorm.": "visual.ln_post.",
}
_TIMM_VISION = {
    "vision_model.embeddings.patch_embedding.": "visual.trunk.patch_embed.proj.",
    "vision_model.embeddings.position_embedding.weight": "visual.trunk.pos_embed",
    "vision_model.post_layernorm.": "visual.trunk.norm.",
    "vision_model.head.probe": "visual.trunk.attn_pool.latent",
    "vision_model.head.attention.out_proj.": "visual.trunk.attn_pool.proj.",
    "vision_model.head.layernorm.": "visual.trunk.attn_pool.norm.",
    "vision_model.head.mlp.": "visual.trunk.attn_pool.mlp.",
}
_UNUSED = "position_ids"  # numbers from 0, which older files hold
_ACTIVATIONS = {"gelu": "gelu", "gelu_pytorch_tanh": "gelu_tanh", "quick_gelu": "quick_gelu"}
_HEADS = {"text": 8, "vision": 12}  # where config.json leaves them out
_SIGLIP_HEADS = 12


def is_huggingface(state: State) -> bool:
    """Whether the names are those of transformers."""
    return "text_model.embeddings.token_embedding.weight" in state


def renamed(state: State) -> State:
    """The state under open_clip's names; what is in neither keeps its own, to be refused."""
    siglip = "vision_model.head.probe" in state
    own: State = {}
    for key, value in state.items():
        if key.endswith(_UNUSED):
            continue
        if key in ("visual_projection.weight", "text_projection.weight"):
            own[{"v": "visual.proj", "t": "text_projection"}[key[0]]] = value.mT.contiguous()
        elif key in ("logit_scale", "logit_bias"):
            own[key] = value.reshape(())
        else:
            own[_renamed(key, siglip)] = value
    if siglip:
        position = "visual.trunk.pos_embed"
        own |= {position: own[position][None]} if position in own else {}
        own = _split_query(own)
    return _joined(own)


def sizes(weights: Checkpoint, inferred: Sizes) -> Sizes:
    """The sizes that shapes say, with heads and activations from config.json, where they stand."""
    config = weights.config
    text, vision = (_part(config, f"{side}_config") for side in ("text", "vision"))
    siglip = "map_pooled" in inferred["vision_cfg"]
    heads = {
        side: int(part.get("num_attention_heads", _SIGLIP_HEADS if siglip else _HEADS[side]))
        for side, part in (("text", text), ("vision", vision))
    }
    usual = "gelu_pytorch_tanh" if siglip else "quick_gelu"
    act = _ACTIVATIONS.get(str(text.get("hidden_act", usual)), "gelu")
    own: Sizes = {**inferred, "text_cfg": {**inferred["text_cfg"]}}
    if config:
        own["text_cfg"]["heads"] = heads["text"]
    if act == "gelu_tanh":
        own["text_cfg"]["act_kwargs"] = {"approximate": "tanh"}
    if act == "quick_gelu":
        own["quick_gelu"] = True
    own["vision_cfg"] = {**inferred["vision_cfg"]}
    if siglip:
        own["vision_cfg"]["act_layer"] = _ACTIVATIONS.get(
            str(vision.get("hidden_act", usual)), "gelu"
        )
        if config:
            pooled = own["vision_cfg"]["map_pooled"]
            own["vision_cfg"]["map_pooled"] = {**pooled, "num_heads": heads["vision"]}
    elif config and "width" in own["vision_cfg"]:
        own["vision_cfg"]["head_width"] = own["vision_cfg"]["width"] // heads["vision"]
    return own


def images(weights: Checkpoint, siglip: bool, caller: str) -> dict[str, Any]:
    """How images are read, by preprocessor_config.json or as the family is."""
    usual = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic"} if siglip else {}
    return {**usual, **configuration.images(weights, caller)}


def _part(config: dict[str, Any], name: str) -> dict[str, Any]:
    part = config.get(name)
    return part if isinstance(part, dict) else {}


def _renamed(key: str, siglip: bool) -> str:
    layer = _LAYER.match(key)
    prefix = "text." if siglip else ""
    if layer is None:
        outside = {old: prefix + new for old, new in _TEXT.items()}
        outside |= _TIMM_VISION if siglip else _VISION
        return _replaced(key, outside)
    side, number, part = layer.groups()
    if side == "text":
        return f"{prefix}transformer.resblocks.{number}.{_replaced(part, _PARTS)}"
    if siglip:
        return f"visual.trunk.blocks.{number}.{_replaced(part, _TIMM_PARTS)}"
    return f"visual.transformer.resblocks.{number}.{_replaced(part, _PARTS)}"


def _replaced(key: str, names: dict[str, str]) -> str:
    old = next((old for old in names if key.startswith(old)), "")
    return names[old] + key.removeprefix(old) if old else key


def _split_query(state: State) -> State:
    """The matrix of SigLIP's pooling as timm's query, and its keys and values."""
    start = "vision_model.head.attention.in_proj_"
    own = {key: value for key, value in state.items() if not key.startswith(start)}
    for kind in ("weight", "bias"):
        joined = state.get(start + kind)
        if joined is not None:
            width = joined.shape[0] // 3
            own[f"visual.trunk.attn_pool.q.{kind}"] = joined[:width].contiguous()
            own[f"visual.trunk.attn_pool.kv.{kind}"] = joined[width:].contiguous()
    return own


def _joined(state: State) -> State:
    """Queries, keys and values of each attention in one matrix."""
    own: State = {}
    for key, value in state.items():
        before, middle, kind = key.partition(".self_attn.q_proj.")
        if middle:
            parts = [state.get(f"{before}.self_attn.{each}_proj.{kind}") for each in "qkv"]
            if all(part is not None for part in parts):
                name = f"attn.qkv.{kind}" if "trunk" in before else f"attn.in_proj_{kind}"
                own[f"{before}.{name}"] = torch.cat([part for part in parts if part is not None])
        elif not re.search(r"\.self_attn\.[kv]_proj\.", key):
            own[key] = value
    return own
