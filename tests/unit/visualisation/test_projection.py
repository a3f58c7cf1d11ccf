"""Projections to pixels: against gradients with masks written out, and within the field."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

import imrep
from imrep.base import Representation
from imrep.codes import Map
from imrep.errors import BadParameter
from imrep.networks import receptive
from imrep.registry.cards import Card
from imrep.testing import photo
from imrep.visualisation.projection import contrast, picture, project
from imrep.visualisation.receptive_field import Box, receptive_field


class Stacked(Representation[Map]):
    """Layers of the caller's, one after the other."""

    card = Card(title="Stacked", family="test", cite="")

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers).requires_grad_(False)

    def encode(self, image):
        return Map(self.layers(image), tuple(image.shape[2:]))

    def get_params(self, deep=True):
        return {}


def convolutions(stride=1, rectifier=nn.ReLU, pool=None):
    torch.manual_seed(3)
    pools = [] if pool is None else [pool]
    layers = [nn.Conv2d(3, 8, 3, padding=1), rectifier(), *pools]
    return Stacked(*layers, nn.Conv2d(8, 6, 3, stride, padding=1), rectifier())


def by_hand(rep, image, channel, *, forward_masks, backward_masks):
    """Down through conv, ReLU, conv, ReLU, with the masks of a gradient, a deconvnet or both."""
    first, _, second, _ = rep.layers
    hidden = first(image)
    top = second(hidden.relu())
    values = top.relu()
    flat = values[:, channel].flatten(1)
    signal = torch.zeros_like(values).flatten(2)
    signal[range(len(image)), channel, flat.argmax(1)] = flat.amax(1)
    signal = signal.reshape(values.shape)
    for layer, before in ((second, top), (first, hidden)):
        signal = signal * (before > 0) if forward_masks else signal
        signal = signal.clamp_min(0) if backward_masks else signal
        signal = F.conv_transpose2d(signal, layer.weight, stride=layer.stride, padding=1)
    return signal


RULES = {
    "gradient": {"forward_masks": True, "backward_masks": False},
    "deconvnet": {"forward_masks": False, "backward_masks": True},
    "guided-backpropagation": {"forward_masks": True, "backward_masks": True},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("channel", [0, 3])
def test_without_pooling_it_is_the_gradient_with_its_masks(rule, channel):
    rep, image = convolutions(), photo(9, 12)
    wanted = by_hand(rep, image, channel, **RULES[rule])
    assert_close(project(rep, image, rule, channel), wanted, rtol=1e-4, atol=1e-6)
    assert wanted.any()


def test_the_three_rules_differ():
    rep, image = convolutions(), photo(9, 12)
    first, second, third = (project(rep, image, rule, 3) for rule in RULES)
    assert not torch.allclose(first, second) and not torch.allclose(second, third)
    assert not torch.allclose(first, third)


class InPlace(nn.Module):
    """A rectifier that torchvision's networks call as a function."""

    def forward(self, x):
        return F.relu(x, inplace=True)


@pytest.mark.parametrize("rectifier", [InPlace, nn.ReLU6, lambda: nn.ReLU(inplace=True)])
@pytest.mark.parametrize("rule", RULES)
def test_a_function_in_place_and_a_clipped_rectifier_follow_the_rule(rectifier, rule):
    image = photo(8, 8)
    other = project(convolutions(rectifier=rectifier), image, rule, 1)
    assert_close(other, project(convolutions(), image, rule, 1))


@pytest.mark.parametrize("rule", RULES)
def test_a_layer_without_rectifiers_has_one_projection(rule):
    torch.manual_seed(0)
    rep, image = Stacked(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Hardtanh()), photo(8, 8)
    assert_close(project(rep, image, rule, 2), project(rep, image, "gradient", 2))


def test_switches_put_a_maximum_back_where_it_was():
    rep = Stacked(nn.MaxPool2d(2))
    image = torch.tensor([[1.0, 2.0, 0.0, 9.0], [4.0, 3.0, 5.0, 6.0]])[None, None] / 10
    wanted = torch.zeros_like(image)
    wanted[0, 0, 0, 3] = 0.9
    assert_close(project(rep, image, "deconvnet", 0), wanted)
    everything = wanted.clone()
    everything[0, 0, 1, 0] = 0.4
    assert_close(project(rep, image, "deconvnet"), everything)


@settings(max_examples=15, deadline=None)
@given(st.integers(12, 24), st.integers(12, 24), st.integers(1, 2), st.sampled_from([*RULES]))
def test_its_support_lies_within_the_receptive_field(height, width, stride, rule):
    rep = convolutions(stride, pool=nn.MaxPool2d(2))
    image = photo(height, width, batch=1)
    values = rep.encode(image).values[0, 2]
    row, column = divmod(int(values.argmax()), values.shape[1])
    box = receptive_field(rep, image, row, column)
    outside = project(rep, image, rule, 2).abs().amax((0, 1))
    outside[box.top : box.bottom, box.left : box.right] = 0
    assert not outside.any()
    assert box.bottom - box.top <= 8 and box.right - box.left <= 8  # 3 × 3, pooled, 3 × 3


def test_receptive_fields_are_those_of_the_arithmetic():
    rep = convolutions(2, pool=nn.MaxPool2d(2))
    # r = 3, then + 1 · 1 (pool, j = 2), then + 2 · 2; the first pixel is at 4 (2 row - 1) + … - 1.
    assert receptive_field(rep, photo(32, 40, batch=1), 3, 2) == Box(9, 5, 17, 13)
    assert receptive_field(rep, photo(32, 40, batch=1), 0, 0) == Box(0, 0, 5, 5)
    assert Box(1, 2, 4, 6).crop(photo(8, 8)).shape == (2, 3, 3, 4)


@pytest.mark.parametrize("pool", [
    nn.MaxPool2d(3, 2, padding=1), nn.MaxPool2d(2, dilation=2), nn.MaxPool2d(3, ceil_mode=True),
    nn.MaxPool2d((3, 2), (2, 1), return_indices=False),
])  # fmt: skip
def test_a_maximum_of_any_window_depends_on_all_of_it(pool):
    rep, image = Stacked(pool), photo(17, 17, batch=1)
    row = column = 1
    box = receptive_field(rep, image, row, column)
    reached = torch.zeros(17, 17, dtype=torch.bool)
    for y in range(17):
        for x in range(17):
            raised = torch.zeros(1, 3, 17, 17)
            raised[..., y, x] = 1
            reached[y, x] = rep.encode(raised).values[0, :, row, column].max() > 0
    rows, columns = reached.any(1).nonzero(), reached.any(0).nonzero()
    assert box == (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


def test_a_picture_shows_the_image_beside_gray_and_outlines_the_field():
    rep, image = convolutions(), photo(16, 20)
    shown = picture("deconvnet", rep, image, 2)
    assert shown.shape == (2, 3, 16, 41) and shown.min() >= 0 and shown.max() <= 1
    differing = (shown[..., :20] != image).any(1)
    assert differing.any() and differing.sum() <= 2 * 2 * 10
    assert torch.equal(picture("deconvnet", rep, image, None)[..., :20], image)
    assert torch.equal(
        picture("gradient", rep, image, 2)[1:], picture("gradient", rep, image[1:], 2)
    )


def test_contrast_is_symmetric_about_gray():
    x = photo(8, 8) - 0.5
    assert_close(contrast(x) - 0.5, 0.5 - contrast(-x))
    assert_close(contrast(3 * x), contrast(x))
    assert (contrast(torch.zeros(1, 3, 4, 4)) == 0.5).all()
    single = torch.zeros(1, 1, 64, 64)
    single[..., 3, 4] = 2
    assert contrast(single)[0, :, 3, 4].tolist() == [1, 1, 1]


def test_a_channel_that_is_not_there_is_refused():
    with pytest.raises(BadParameter, match="needs channel from 0 to 5, got 6"):
        project(convolutions(), photo(8, 8), "deconvnet", 6)


@pytest.mark.parametrize("layer", range(4))
def test_receptive_fields_are_those_that_the_network_computes(layer):
    rep = imrep.get(f"cnn:arch=test_resnet,weights=random,layer={layer}").eval()
    image = photo(160, 160, batch=1)
    (field,) = receptive.output_fields(rep.network, image)
    for row in (1, rep.encode(image).values.shape[2] // 2):
        centre, half = field.rows.start + row * field.rows.stride, (field.rows.size - 1) / 2
        wanted = (max(0, centre - half), min(160, centre + half + 1))
        box = receptive_field(rep, image, row, row)
        assert (box.top, box.bottom) == (box.left, box.right) == wanted
