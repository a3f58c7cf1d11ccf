"""Pictures of tokens: principal components of the patches, whatever their units."""

import pytest
import torch

from imrep.codes import Tokens
from imrep.drawing.tokens import draw_tokens


def cells(picture, grid):
    factor = picture.shape[2] // grid[0]
    return picture[..., factor // 2 :: factor, factor // 2 :: factor]


def test_equal_patches_have_equal_colours_and_others_do_not():
    patches = torch.randn(3, 8)[[0, 1, 2, 0, 2, 1]][None]
    picture = cells(draw_tokens(Tokens(torch.zeros(1, 8), patches, (2, 3))), (2, 3))
    colours = picture[0].flatten(1).T
    torch.testing.assert_close(colours[[0, 1, 2]], colours[[3, 5, 4]], rtol=0, atol=1e-5)
    assert torch.pdist(colours[:3]).min() > 0.1


@pytest.mark.parametrize("features", [1, 2, 5])
def test_offset_and_scale_of_the_features_do_not_matter(features):
    patches = torch.randn(2, 12, features)
    first = draw_tokens(Tokens(torch.zeros(2, features), patches, (3, 4)))
    moved = draw_tokens(Tokens(torch.zeros(2, features), 5 * patches + 3, (3, 4)))
    torch.testing.assert_close(moved, first, rtol=0, atol=1e-4)
    assert first.shape[1] == 3 and first.min() == 0 and first.max() == 1
