"""LeNet-5 by the numbers of its paper."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from imrep.errors import BadParameter
from imrep.networks import lenet
from imrep.networks.built import Request

REQUEST = Request("lenet5", "random", -1, None, "mean", "cnn")
IMAGE = torch.linspace(-1, 1, 32 * 32).reshape(1, 1, 32, 32)


@pytest.mark.parametrize(("layer", "count"), [("c1", 156), ("c5", 48_120), ("f6", 10_164)])
def test_layers_have_as_many_weights_as_in_the_paper(layer, count):
    module = lenet._lenet().get_submodule(layer)
    assert sum(weight.numel() for weight in module.parameters()) == count


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(0, (6, 28, 28)), (1, (6, 14, 14)), (2, (16, 10, 10)), (3, (16, 5, 5)), (-1, (120, 1, 1))],
)
def test_maps_have_the_sizes_of_figure_2(layer, shape):
    built = lenet.build(replace(REQUEST, layer=layer))
    (output,) = built.network(IMAGE)
    assert tuple(output.shape[1:]) == shape
    assert (built.side, built.fixed, built.gray) == (32, True, True)


def test_convolutions_end_in_tanh_and_averages_follow():
    maps = lenet.build(REQUEST).network.stages(IMAGE * 100)
    assert maps[0].abs().max() <= 1
    torch.testing.assert_close(maps[1], torch.nn.functional.avg_pool2d(maps[0], 2))


@pytest.mark.parametrize("head", [True, False])
def test_weights_of_a_file_are_loaded_with_or_without_a_head(tmp_path, head):
    state = {key: torch.full_like(value, 0.01) for key, value in lenet._lenet().state_dict().items()
             if head or not key.startswith(("f6", "output"))}  # fmt: skip
    save_file({f"module.{key}": value for key, value in state.items()}, tmp_path / "a.safetensors")
    built = lenet.build(replace(REQUEST, weights=str(tmp_path / "a.safetensors")))
    weight = built.network.get_submodule("whole.c1")[0].weight
    assert (weight == 0.01).all()


def test_a_state_without_a_layer_is_refused(tmp_path):
    state = lenet._lenet().state_dict()
    del state["c3.0.bias"]
    save_file(state, tmp_path / "a.safetensors")
    with pytest.raises(BadParameter, match=r"'c3\.0\.bias' is missing"):
        lenet.build(replace(REQUEST, weights=str(tmp_path / "a.safetensors")))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pooling": "head"}, "it ends in a map of one pixel"),
        ({"pooling": "token"}, "it ends in a map of one pixel"),
        ({"side": 64}, "it reads images of 32×32 alone. Try side=32"),
        ({"layer": 5}, "from -5 to 4, got 5"),
    ],
)
def test_what_it_cannot_do_is_refused(changes, reason):
    with pytest.raises(BadParameter, match=reason):
        lenet.build(replace(REQUEST, **changes))
    assert lenet.build(replace(REQUEST, side=32)).side == 32
