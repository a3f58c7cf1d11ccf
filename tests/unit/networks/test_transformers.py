"""Transformers cut behind a block: timm's own numbers, strict loading, positions of other sizes."""

import pytest
import torch
from safetensors.torch import save_file
from small_transformers import SIDES, network, small

from imrep.errors import BadParameter
from imrep.networks import Request, transformers


def stored(net, folder, edit=lambda state: state):
    state = {key: value.contiguous() for key, value in net.state_dict().items()}
    save_file(edit(state), folder / "net.safetensors")
    return str(folder / "net.safetensors")


def build(arch, weights, *, layer=-1, side=None, pooling="head", norm=True):
    with small():
        return transformers.build(Request(arch, weights, layer, side, pooling, "vit"), norm=norm)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("arch", SIDES)
def test_tokens_of_every_block_are_timms(arch, norm, tmp_path):
    side = SIDES[arch]
    net, image = network(arch, side), torch.randn(2, 3, side, side)
    file = stored(net, tmp_path)
    for layer in (0, 1, -1):
        index = layer % len(net.blocks)
        wanted = net.forward_intermediates(
            image, indices=[index], norm=norm, output_fmt="NLC", intermediates_only=True,
            return_prefix_tokens=bool(net.num_prefix_tokens),
        )[0]  # fmt: skip
        patches, prefix = wanted if net.num_prefix_tokens else (wanted, wanted[:, :0])
        ours = build(arch, file, layer=layer, side=side, norm=norm).network
        assert len(ours.blocks) == index + 1
        actual = transformers.tokens(ours, image)
        expected = torch.cat([prefix, patches], 1)
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("arch", SIDES)
def test_the_head_is_timms(arch, tmp_path):
    side = SIDES[arch]
    net, image = network(arch, side), torch.randn(2, 3, side, side)
    ours = build(arch, stored(net, tmp_path), side=side).network
    features = transformers.tokens(ours, image)
    torch.testing.assert_close(features, net.forward_features(image), rtol=1e-4, atol=1e-4)
    expected = net.forward_head(net.forward_features(image), pre_logits=True)
    actual = ours.forward_head(features, pre_logits=True)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence:UserWarning")  # timm's own, of BEiT
@pytest.mark.parametrize("arch", [name for name in SIDES if "relpos" not in name])
def test_positions_are_interpolated_for_another_side(arch, tmp_path):
    patch = transformers.stride(network(arch, SIDES[arch]))
    net, side = network(arch, 4 * patch), 6 * patch
    ours = build(arch, stored(net, tmp_path), side=side)
    assert ours.side == side and ours.network.patch_embed.grid_size == (6, 6)
    net.set_input_size((side, side))
    image = torch.randn(1, 3, side, side)
    expected = net.forward_features(image)
    torch.testing.assert_close(transformers.tokens(ours.network, image), expected,
                               rtol=1e-4, atol=1e-4)  # fmt: skip


@pytest.mark.parametrize(
    "arch", ["vit_small_patch14_reg4_dinov2", "test_vit3", "beit_base_patch16_224"]
)
def test_the_attention_of_each_block_has_rows_that_sum_to_one(arch, tmp_path):
    side = SIDES[arch]
    ours = build(arch, "random", side=side, layer=1).network
    found = transformers.attention(ours, torch.randn(1, 3, side, side), "vit", arch)
    count = ours.num_prefix_tokens + 16
    heads = transformers.head_count(ours)
    assert [tuple(m.shape) for m in found.blocks] == 2 * [(1, heads, count, count)]
    for matrix in (*found.blocks, *filter(lambda m: m is not None, [found.pooling])):
        torch.testing.assert_close(matrix.sum(-1), torch.ones(matrix.shape[:-1]))
    assert (found.pooling is None) == (arch != "test_vit3")


def test_a_network_with_two_matrices_a_block_is_refused():
    with small():
        request = Request("vit_small_patch16_18x2_224", "random", -1, 64, "head", "vit")
        ours = transformers.build(request, norm=True).network
    with pytest.raises(BadParameter, match="one attention matrix a block, got 6 from 3 blocks"):
        transformers.attention(ours, torch.randn(1, 3, 64, 64), "vit", "18x2")
    assert transformers.head_count(ours) == 0


def half(state):
    return dict(list(state.items())[: len(state) // 2])


def renamed(state):
    return {key.replace("blocks", "layers"): value for key, value in state.items()}


def poisoned(state):
    return {**state, "norm.bias": torch.full_like(state["norm.bias"], torch.nan)}


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda _: {"foo": torch.zeros(3)}, "'cls_token' is missing and .* 'foo' is no part of it"),
        (half, "is missing"),
        (renamed, "'blocks.0.norm1.weight' is missing.* 'layers.0"),
        (lambda state: {**state, "cls_token": torch.zeros(1, 1, 7)}, "'cls_token' has shape"),
        (poisoned, "'norm.bias' that holds NaN or infinity"),
    ],
)
def test_other_weights_are_refused(edit, reason, tmp_path):
    file = stored(network("test_vit"), tmp_path, edit)
    with pytest.raises(BadParameter, match=f"vit needs weights of test_vit.*{reason}"):
        build("test_vit", file)


@pytest.mark.parametrize("other", ["test_vit2", "test_vit3", "vit_small_patch14_dinov2"])
def test_weights_of_another_architecture_are_refused(other, tmp_path):
    file = stored(network(other), tmp_path)
    with pytest.raises(BadParameter, match="vit needs weights of test_vit, got others"):
        build("test_vit", file)


def test_what_is_cut_off_is_required_of_a_checkpoint(tmp_path):
    """Half a file is refused, whichever blocks are used."""
    file = stored(network("test_vit"), tmp_path, half)
    with pytest.raises(BadParameter, match="is missing"):
        build("test_vit", file, layer=0)


@pytest.mark.parametrize(
    ("arch", "options", "message"),
    [
        ("test_resnet", {}, r"one grid of tokens, got test_resnet\. Use cnn:arch=test_resnet"),
        ("test_maxvit", {}, "one grid of tokens"),
        ("test_vit", {"layer": 6}, "block of test_vit from -6 to 5, got 6"),
        ("test_vit", {"layer": -7}, "got -7. Try -1"),
        ("test_vit", {"side": 100}, r"no multiple of its patches of 16\. Try side=96"),
        ("test_vit", {"side": 3}, "Try side=16"),
        (
            "test_vit2",
            {"pooling": "token"},
            "pooling=token: it has no class token. Use mean or head",
        ),
        ("vit_base_patch16_siglip_224", {"pooling": "both"}, "no class token"),
        ("test_vit.mine", {}, "Invalid pretrained tag"),
    ],
)
def test_what_does_not_exist_is_refused(arch, options, message):
    with pytest.raises(BadParameter, match=message):
        build(arch, "random", **options)


def test_random_weights_are_seeded_and_no_residual_branch_is_silent():
    first, second = build("vit_small_patch14_dinov2", "random", side=56), None
    torch.manual_seed(5)
    second = build("vit_small_patch14_dinov2", "random", side=56)
    pairs = zip(first.network.parameters(), second.network.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert all(bool((block.ls1.gamma == 1).all()) for block in first.network.blocks)


def test_what_is_not_used_is_cut_off():
    ours = build("test_vit3", "random", layer=2, pooling="mean", norm=False).network
    names = {key.split(".")[0] for key in ours.state_dict()}
    assert {"patch_embed", "pos_embed", "blocks"} <= names
    assert not names & {"norm", "head", "attn_pool", "fc_norm"} and len(ours.blocks) == 3


def test_names_are_those_of_transformers():
    names = transformers.names()
    assert {"vit_small_patch14_dinov2", "vit_small_patch16_dinov3", "test_vit"} <= set(names)
    assert "resnet50" not in names and len(names) > 200
