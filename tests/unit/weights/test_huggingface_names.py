"""Checkpoints in the layouts of transformers, made from timm's networks by the inverse renaming."""

import pytest
import torch
from small_transformers import network, small

from imrep.errors import BadParameter
from imrep.networks import Request, transformers
from imrep.weights.huggingface_names import to_timm

VIT = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
DINOV2 = VIT | {
    "norm1": "norm1",
    "norm2": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
}
SIGLIP = DINOV2 | {
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "attn.proj": "self_attn.out_proj",
}
OUTSIDE = {
    "cls_token": "embeddings.cls_token",
    "reg_token": "embeddings.register_tokens",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
}
SIGLIP_OUTSIDE = {
    "pos_embed": "embeddings.position_embedding.weight",
    "patch_embed.proj": "embeddings.patch_embedding",
    "norm": "post_layernorm",
    "attn_pool.latent": "head.probe",
    "attn_pool.proj": "head.attention.out_proj",
    "attn_pool.norm": "head.layernorm",
    "attn_pool.mlp": "head.mlp",
}


def as_transformers(state, inside, outside, root, attention, layers):
    """A state of timm under the names of transformers, queries, keys and values apart."""
    renamed = {}
    for key, value in state.items():
        if key.startswith(("head.", "attn_pool.q.", "attn_pool.kv.")):
            continue
        if not key.startswith("blocks."):
            old = next(name for name in outside if key.startswith(name))
            renamed[root + outside[old] + key.removeprefix(old)] = value
            continue
        _, number, rest = key.split(".", 2)
        start = f"{root}{layers}.{number}."
        if rest.startswith("attn.qkv."):
            parts = zip(attention, value.chunk(3), strict=True)
            renamed |= {
                start + part + rest.removeprefix("attn.qkv"): x.clone() for part, x in parts
            }
            continue
        old = next(name for name in inside if rest.startswith(name))
        renamed[start + inside[old] + rest.removeprefix(old)] = value
    return renamed


_APART = [f"attention.attention.{part}" for part in ("query", "key", "value")]


def the_same(actual, expected):
    expected = {k: v for k, v in expected.items() if not k.startswith("head.")}
    assert set(actual) == set(expected)
    for key, value in expected.items():
        torch.testing.assert_close(actual[key], value, msg=key)


@pytest.mark.parametrize(
    ("arch", "inside", "root"),
    [
        ("deit3_small_patch16_224", DINOV2, "vit."),
        ("vit_base_patch16_clip_224", VIT, ""),
        ("vit_small_patch14_dinov2", DINOV2, "backbone."),
    ],
)
def test_vit_and_dinov2_are_read(arch, inside, root):
    state = {k: v for k, v in network(arch).state_dict().items() if not k.startswith("norm_pre")}
    theirs = as_transformers(state, inside, OUTSIDE, root, _APART, "encoder.layer")
    assert f"{root}encoder.layer.0.attention.attention.key.weight" in theirs
    theirs |= {f"{root}embeddings.mask_token": torch.zeros(1), "classifier.weight": torch.ones(2)}
    if not root:
        del theirs["classifier.weight"]
    the_same(to_timm(theirs), state)


def test_the_class_tokens_position_is_added_where_there_are_registers():
    state = network("vit_small_patch14_reg4_dinov2").state_dict()
    theirs = as_transformers(state, DINOV2, OUTSIDE, "", _APART, "encoder.layer")
    position = torch.randn(1, 1, 48)
    theirs["embeddings.position_embeddings"] = torch.cat([position, state["pos_embed"]], 1)
    theirs["embeddings.cls_token"] = state["cls_token"] - position
    the_same(to_timm(theirs), state)


DINOV3 = {
    "attn.proj": "attention.o_proj",
    "attn.q_bias": "attention.q_proj.bias",
    "attn.v_bias": "attention.v_proj.bias",
    "gamma_1": "layer_scale1.lambda1",
    "gamma_2": "layer_scale2.lambda1",
    "mlp.fc1_g": "mlp.gate_proj",
    "mlp.fc1_x": "mlp.up_proj",
    "mlp.fc1": "mlp.up_proj",
    "mlp.fc2": "mlp.down_proj",
    "norm1": "norm1",
    "norm2": "norm2",
}


def of_dinov3(state, root=""):
    parts = [f"attention.{part}_proj" for part in "qkv"]
    outside = OUTSIDE | {"patch_embed.proj": "embeddings.patch_embeddings", "norm": "norm"}
    return as_transformers(state, DINOV3, outside, root, parts, "layer")


@pytest.mark.parametrize("root", ["", "dinov3_vit."])
@pytest.mark.parametrize("arch", ["vit_small_patch16_dinov3", "vit_small_patch16_dinov3_qkvb",
                                  "vit_small_plus_patch16_dinov3"])  # fmt: skip
def test_dinov3_is_read(arch, root):
    state = network(arch).state_dict()
    theirs = of_dinov3(state, root)
    assert f"{root}layer.0.attention.k_proj.weight" in theirs
    theirs[f"{root}embeddings.mask_token"] = torch.zeros(1)
    the_same(to_timm(theirs), state)


@pytest.mark.parametrize("zero", [True, False])
def test_biases_of_dinov3_may_be_left_out_where_they_are_zero(zero, tmp_path):
    theirs = of_dinov3(network("vit_small_patch16_dinov3_qkvb").state_dict())
    biases = [key for key in theirs if key.endswith(("q_proj.bias", "v_proj.bias"))]
    theirs |= {key: theirs[key] * (not zero) for key in biases}
    torch.save(theirs, tmp_path / "net.pth")
    request = Request("vit_small_patch16_dinov3", str(tmp_path / "net.pth"), -1, 64, "token", "vit")
    with small():
        if zero:
            assert len(transformers.build(request, norm=True).network.blocks) == 3
        else:
            with pytest.raises(BadParameter, match=r"'blocks.0.attn.q_bias' is no part of it"):
                transformers.build(request, norm=True)


def test_the_image_tower_of_siglip_is_read():
    state = network("vit_base_patch16_siglip_224").state_dict()
    parts = [f"self_attn.{part}_proj" for part in "qkv"]
    root = "vision_model."
    theirs = as_transformers(state, SIGLIP, SIGLIP_OUTSIDE, root, parts, "encoder.layers")
    theirs[f"{root}embeddings.position_embedding.weight"] = state["pos_embed"][0]
    for kind in ("weight", "bias"):
        both = [state[f"attn_pool.q.{kind}"], state[f"attn_pool.kv.{kind}"]]
        theirs[f"{root}head.attention.in_proj_{kind}"] = torch.cat(both)
    text = {
        "text_model.encoder.layers.0.mlp.fc1.weight": torch.ones(2),
        "logit_scale": torch.ones(1),
    }
    the_same(to_timm(text | theirs), state)


@pytest.mark.parametrize("arch", ["test_vit", "test_vit3", "eva02_tiny_patch14_224"])
def test_names_of_timm_are_unchanged(arch):
    state = network(arch).state_dict()
    assert to_timm(state) is state


def test_half_a_block_is_left_for_the_check_to_refuse():
    theirs = {"encoder.layer.0.attention.attention.query.weight": torch.ones(2, 2)}
    assert set(to_timm(theirs)) == {"blocks.0.attn.query.weight"}
