"""Maps of attention: which row they are, and their pictures."""

import pytest
import torch

from imrep.networks.attention import rollout
from imrep.networks.transformers import Attention
from imrep.represent.learned.vit.maps import draw_maps, heads, rolled_out


def matrices(blocks=2, tokens=6, count=3):
    return tuple(torch.randn(1, count, tokens, tokens).softmax(-1) for _ in range(blocks))


def test_the_class_tokens_row_without_registers():
    attention = Attention(matrices())
    expected = rollout(attention.blocks)[:, None, 0, 2:]
    torch.testing.assert_close(rolled_out(attention, prefix=2, class_token=True), expected)
    last = attention.blocks[-1][:, :, 0, 2:]
    assert torch.equal(heads(attention, prefix=2, class_token=True), last)


def test_the_row_of_attention_pooling():
    pooling = torch.randn(1, 3, 1, 6).softmax(-1)
    attention = Attention(matrices(), pooling)
    row = pooling.mean(1) @ rollout(attention.blocks)
    actual = rolled_out(attention, prefix=0, class_token=False)
    torch.testing.assert_close(actual, row)
    torch.testing.assert_close(actual.sum(-1), torch.ones(1, 1))
    assert torch.equal(heads(attention, 0, class_token=False), pooling[:, :, 0])


def test_the_mean_of_the_patches_rows():
    attention = Attention(matrices())
    expected = rollout(attention.blocks)[:, 1:, 1:].mean(1, keepdim=True)
    torch.testing.assert_close(rolled_out(attention, prefix=1, class_token=False), expected)


@pytest.mark.parametrize("count", [1, 4])
def test_pictures_lie_over_the_image(count):
    maps, image = torch.zeros(2, count, 4, 4), torch.rand(2, 3, 90, 120)
    maps[:, :, 1, 2] = 1
    picture = draw_maps(maps, image)
    assert picture.shape[2:] == ((192, 256) if count == 1 else (2 * 120 + 1, 2 * 160 + 1))
    assert 0 <= float(picture.min()) <= float(picture.max()) <= 1
    alone = draw_maps(maps, None)
    assert alone.shape[:2] == (2, 3)


def test_the_bright_patch_is_where_the_attention_is():
    maps = torch.zeros(1, 1, 8, 8)
    maps[0, 0, 2, 5] = 1
    maps[0, 0, 2, 6] = 0.5
    maps[0, 0, 3, 5] = 0.5
    picture = draw_maps(maps, torch.full((1, 1, 256, 256), 0.3)).mean(1)[0]
    row, column = divmod(int(picture.argmax()), 256)
    assert 60 <= row < 100 and 150 <= column < 200


def test_a_constant_map_is_drawn():
    assert draw_maps(torch.full((1, 1, 3, 3), 0.1), torch.rand(1, 1, 30, 30)).isfinite().all()
