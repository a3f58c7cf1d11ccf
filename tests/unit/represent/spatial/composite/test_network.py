import json

import pytest
import torch

from imrep.errors import BadParameter
from imrep.networks import Request
from imrep.represent.spatial.composite.network import build
from imrep.represent.spatial.composite.skeleton import COCO


def request(arch, layer=-1):
    return Request(arch, "random", layer, None, "mean", "composite")


@pytest.mark.parametrize("arch", ["shufflenetv2k16", "shufflenetv2k30"])
def test_shufflenet_has_the_official_keys_and_parameters(refs, arch):
    official = json.loads((refs / "learned" / "pifpaf_constants.json").read_text())[f"net_{arch}"]
    with torch.device("meta"):
        network, _, _ = build(request(arch), COCO, 1)
    keys = [*network.state_dict()]
    assert sum(p.numel() for p in network.parameters()) == official["params"]
    assert len(keys) == official["n_keys"]
    assert (keys[:14], keys[-6:]) == (official["first"], official["last"])
    assert [[*network.state_dict()[key].shape] for key in keys[-6:]] == official["last_shapes"]


@pytest.mark.parametrize(("length", "rows"), [(33, 5), (34, 7), (257, 33), (258, 35)])
def test_fields_of_upsample_two_lie_eight_pixels_apart(length, rows):
    network, _, _ = build(request("shufflenetv2k16"), COCO, 2)
    cells, pixels = network.cells.complete(length)
    with torch.no_grad():
        intensity, association = network.eval()(torch.zeros(1, 3, pixels, 33))
    assert (network.cells.stride, cells) == (8, rows)
    assert intensity.shape == (1, 17, 5, rows, 5) and association.shape == (1, 19, 8, rows, 5)


@pytest.mark.parametrize("arch", ["resnet18", "test_convnext", "mobilenetv3_small_050"])
@pytest.mark.parametrize("length", [1, 40, 65, 97])
def test_any_backbone_gives_as_many_cells_as_announced(arch, length):
    network, _, _ = build(request(arch, -2), COCO, 2)
    cells, pixels = network.cells.complete(length)
    with torch.no_grad():
        intensity, _ = network.eval()(torch.zeros(1, 3, pixels, pixels))
    assert intensity.shape[3:] == (cells, cells)
    assert (cells - 1) * network.cells.stride >= length - 1


def test_random_heads_expect_background():
    network, _, _ = build(request("resnet18"), COCO, 1)
    with torch.no_grad():
        intensity, association = network.eval()(torch.zeros(1, 3, 65, 65))
    for raw in (intensity, association):
        assert raw[:, :, 1].sigmoid().mean() < 0.1


@pytest.mark.parametrize(
    ("arch", "upsample", "message"),
    [
        ("test_vit", 1, "needs a backbone that reads colour images of any size, got test_vit"),
        ("lenet5", 1, "got lenet5, which reads"),
        ("resnet18", 3, "needs upsample to divide the stride of resnet18, 32, got 3"),
    ],
)
def test_backbones_that_do_not_fit_are_refused(arch, upsample, message):
    with pytest.raises(BadParameter, match=message):
        build(request(arch), COCO, upsample)
