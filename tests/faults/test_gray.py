"""Gray and the same gray as three equal channels give one vector, in every representation."""

import pytest
import torch
from skimage import data

import imrep
from imrep.base import Fitted
from imrep.registry import catalog

UNTRAINED = {
    "cnn": "cnn:weights=random,arch=lenet5",
    "dctnet": "dctnet:weights=random",
    "snnl": "snnl:weights=random",
    "vit": "vit:weights=random,arch=test_vit",
}
SPECS = [UNTRAINED.get(name) or catalog.entry(name).example or name for name in imrep.names()]


def gray(side=64):
    """Parts of a photograph, (3, 1, side, side)."""
    camera = torch.from_numpy(data.camera().copy())[None, None] / 255
    parts = [camera[..., top : top + 3 * side, 120 : 120 + 3 * side] for top in (20, 100, 200)]
    small = torch.nn.functional.interpolate(torch.cat(parts), (side, side), mode="area")
    return (small * 255).round() / 255


@pytest.mark.parametrize("spec", SPECS)
def test_gray_and_the_same_gray_as_colours_have_one_vector(spec):
    torch.manual_seed(0)
    rep = imrep.get(spec).eval()
    one, three = gray(), gray().expand(-1, 3, -1, -1).contiguous()
    if isinstance(rep, Fitted):
        rep.fit(three)
    with torch.no_grad():
        torch.testing.assert_close(rep.embed(three), rep.embed(one), rtol=0, atol=1e-3)
