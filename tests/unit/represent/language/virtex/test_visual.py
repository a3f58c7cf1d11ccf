"""The backbones: torchvision's map, sizes, and the names of Detectron2."""

import pytest
import torch

from imrep.represent.language.virtex import visual
from imrep.represent.language.virtex.visual import VisualBackbone


@torch.no_grad()
def test_the_map_is_torchvisions():
    from torchvision.models.feature_extraction import create_feature_extractor
    from torchvision.models.resnet import resnet18

    made = VisualBackbone("resnet18").eval()
    other = resnet18(weights=None).eval()
    other.load_state_dict(made.cnn.state_dict(), strict=False)
    expected = create_feature_extractor(other, {"layer4": "map"})(torch.ones(1, 3, 64, 96))["map"]
    assert torch.equal(made(torch.ones(1, 3, 64, 96)), expected)


@pytest.mark.parametrize(("arch", "layers"), [("resnet8", 8), ("resnet20", 20)])
def test_small_networks_have_their_number_of_layers(arch, layers):
    made = VisualBackbone(arch)
    convolutions = [m for m in made.modules() if isinstance(m, torch.nn.Conv2d)]
    shortcuts = [m for m in convolutions if m.kernel_size == (1, 1)]
    assert len(convolutions) - len(shortcuts) + 1 == layers  # and the linear layer behind


@torch.no_grad()
@pytest.mark.parametrize("arch", ["resnet8", "resnet18", "test_resnet", "mobilenet_v3_small"])
@pytest.mark.parametrize("side", [32, 40, 65])
def test_the_grid_is_that_of_the_map(arch, side):
    made = VisualBackbone(arch).eval()
    shape = made(torch.zeros(1, 3, side, side)).shape
    assert shape[1:] == (made.channels, made.grid(side), made.grid(side))


def test_detectron2_has_a_name_for_every_tensor():
    names = VisualBackbone("resnet50").cnn.state_dict()
    renamed = visual.detectron2(names)
    assert len(renamed) == len(names)
    pairs = {
        "conv1.weight": "stem.conv1.weight",
        "bn1.running_var": "stem.conv1.norm.running_var",
        "layer1.0.conv3.weight": "res2.0.conv3.weight",
        "layer1.0.downsample.0.weight": "res2.0.shortcut.weight",
        "layer4.0.downsample.1.bias": "res5.0.shortcut.norm.bias",
        "layer3.5.bn2.weight": "res4.5.conv2.norm.weight",
    }
    assert all(renamed[new] is names[old] for old, new in pairs.items())
