"""Attention matrices, fused or not, and their rollout."""

import threading

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from small_transformers import SIDES, network

from imrep.networks.attention import Recorder, attention_weights, rollout

few = st.integers(1, 5)


def arrays(*shapes):
    dice = torch.Generator().manual_seed(sum(map(sum, shapes)))
    return [torch.randn(shape, generator=dice) for shape in shapes]


@given(few, few, few, few, st.sampled_from([None, 0.3]))
def test_weights_are_those_of_the_fused_function(heads, queries, keys, width, scale):
    q, k, v = arrays((2, heads, queries, width), (2, heads, keys, width), (2, heads, keys, width))
    weights = attention_weights(q, k, v, scale=scale)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, heads, queries))
    expected = F.scaled_dot_product_attention(q, k, v, scale=scale)
    torch.testing.assert_close(weights @ v, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("masked", ["causal", "added", "boolean"])
def test_masks_are_those_of_the_fused_function(masked):
    q, k, v = arrays((2, 3, 4, 5), (2, 3, 4, 5), (2, 3, 4, 5))
    bias = torch.randn(1, 3, 4, 4)
    options = {
        "causal": {"is_causal": True},
        "added": {"attn_mask": bias},
        "boolean": {"attn_mask": torch.eye(4).bool() | (bias > 0)},
    }[masked]
    expected = F.scaled_dot_product_attention(q, k, v, **options)
    weights = attention_weights(q, k, v, **options)
    torch.testing.assert_close(weights @ v, expected, rtol=1e-4, atol=1e-5)


def test_heads_of_queries_may_share_keys():
    q, k, v = arrays((2, 6, 4, 5), (2, 2, 4, 5), (2, 2, 4, 5))
    weights = attention_weights(q, k, v, enable_gqa=True)
    expected = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    shared = v.repeat_interleave(3, 1)
    torch.testing.assert_close(weights @ shared, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arch", SIDES)
def test_fused_attention_is_recorded_as_hooks_see_it_unfused(arch):
    """The trap: hooks behind a fused kernel collect nothing."""
    net, image = network(arch, SIDES[arch]), torch.rand(2, 3, SIDES[arch], SIDES[arch])
    fused = [block.attn.fused_attn for block in net.blocks]
    assert all(fused)
    hooked = []
    for block in net.blocks:
        block.attn.attn_drop.register_forward_hook(lambda _, inputs, __: hooked.append(inputs[0]))
    with Recorder() as recorder:
        net.forward_features(image)
    assert not hooked and len(recorder.matrices) == len(net.blocks)
    for block in net.blocks:
        block.attn.fused_attn = False
    with Recorder() as unfused:
        net.forward_features(image)
    assert len(hooked) == len(unfused.matrices) == len(net.blocks)
    for ours, again, expected in zip(recorder.matrices, unfused.matrices, hooked, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)
        assert torch.equal(again, expected)


def test_timms_own_extraction_agrees():
    import timm
    from timm.layers import set_fused_attn
    from timm.utils import AttentionExtract

    net, image = network("test_vit"), torch.rand(1, 3, 160, 160)
    with Recorder() as recorder:
        net(image)
    set_fused_attn(False)
    try:
        unfused = timm.create_model("test_vit").eval()
    finally:
        set_fused_attn(True)
    unfused.load_state_dict(net.state_dict())
    extracted = AttentionExtract(unfused, method="hook")(image)
    assert len(extracted) == len(recorder.matrices) == 6
    for ours, expected in zip(recorder.matrices, extracted.values(), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_recording_changes_no_output_and_reads_its_own_thread():
    net, image = network("test_vit"), torch.rand(1, 3, 160, 160)
    expected = net(image)
    with Recorder() as recorder:
        thread = threading.Thread(target=net, args=(image,))
        thread.start()
        thread.join()
        assert not recorder.matrices
        assert torch.equal(net(image), expected)
    count = len(recorder.matrices)
    net(image)
    assert len(recorder.matrices) == count == 6


@given(st.integers(1, 4), few, st.integers(2, 6))
def test_rows_of_the_rollout_sum_to_one(blocks, heads, tokens):
    dice = torch.Generator().manual_seed(100 * blocks + 10 * heads + tokens)
    matrices = [
        torch.randn(2, heads, tokens, tokens, generator=dice).softmax(-1) for _ in range(blocks)
    ]
    rolled = rollout(matrices)
    assert rolled.shape == (2, tokens, tokens) and bool((rolled >= 0).all())
    torch.testing.assert_close(rolled.sum(-1), torch.ones(2, tokens))
    expected = torch.eye(tokens)
    for matrix in matrices:
        expected = (0.5 * matrix.mean(1) + 0.5 * torch.eye(tokens)) @ expected
    torch.testing.assert_close(rolled, expected)


def test_tokens_that_attend_to_themselves_stay():
    identity = torch.eye(4).expand(1, 2, 4, 4)
    assert torch.equal(rollout([identity, identity])[0], torch.eye(4))


def test_the_first_block_is_applied_first():
    """Token 0 reads 1 in the second block, after 1 has read 2 in the first."""
    first, second = torch.eye(3)[None, None], torch.eye(3)[None, None].clone()
    first = first.clone()
    first[0, 0, 1], second[0, 0, 0] = torch.eye(3)[2], torch.eye(3)[1]
    forward, backward = rollout([first, second])[0], rollout([second, first])[0]
    assert forward[0].tolist() == [0.5, 0.25, 0.25]
    assert backward[0].tolist() == [0.5, 0.5, 0]
