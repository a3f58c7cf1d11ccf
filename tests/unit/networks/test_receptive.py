"""Receptive fields: published ones, and those that gradients show, for every layer of networks."""

import pytest
import torch
from torch import Tensor, nn

from imrep.networks import lenet
from imrep.networks.receptive import Axis, Field, fields, output_fields

IMAGE = torch.zeros(1, 3, 64, 64)


def network(arch):
    if arch == "lenet5":
        return lenet._lenet().eval()
    if arch.startswith("test_") or arch in ("mobilenetv2_035", "tf_efficientnet_lite0"):
        import timm

        return timm.create_model(arch).eval()
    from torchvision import models

    extra = {"aux_logits": False, "init_weights": False} if arch == "googlenet" else {}
    return models.get_model(arch, weights=None, **extra).eval()


def averaging(module):
    """Every weight positive and small, and maximums as means: no gradient is lost or cancelled."""
    for name, layer in list(module.named_modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            layer.bias = None
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, nn.MaxPool2d):
            window = layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode
            module.set_submodule(name, nn.AvgPool2d(*window))
    return module.double()


def outputs_of(module, image):
    outputs = {}
    for name, layer in module.named_modules():
        layer.register_forward_hook(
            lambda _, __, output, name=name: outputs.update({name: output.clone()})
        )
    module(image)
    return outputs


def support(output, image, position):
    """First and last row, first and last column, whose pixels change a unit."""
    unit = output[(0, slice(None), *position)].sum()
    (gradient,) = torch.autograd.grad(unit, image, retain_graph=True)
    touched = gradient[0].abs().sum(0) > 0
    rows, columns = (touched.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    return (rows[0], rows[-1]), (columns[0], columns[-1])


def assert_equal(touched, axis, index, length):
    """Up to the borders of the image, where the last pixels may belong to no unit."""
    first = axis.first + index * axis.stride
    last = first + axis.size - 1
    assert touched[0] == max(first, 0)
    if last < length - 2 * axis.stride:
        assert touched[1] == last
    else:
        assert length - 2 * axis.stride <= touched[1] <= last


@pytest.mark.parametrize(
    ("arch", "channels", "size", "layers"),
    [
        ("lenet5", 1, (32, 32), 8),
        ("alexnet", 3, (228, 196), 12),
        ("squeezenet1_1", 3, (130, 97), 60),
        ("test_resnet", 3, (150, 121), 40),
        pytest.param("mobilenetv2_035", 3, (160, 129), 150, marks=pytest.mark.slow),
        pytest.param("googlenet", 3, (160, 129), 200, marks=pytest.mark.slow),
    ],
)
def test_fields_of_every_layer_are_the_support_of_its_gradients(arch, channels, size, layers):
    module = averaging(network(arch))
    image = torch.full((1, channels, *size), 1e-3, dtype=torch.float64, requires_grad=True)
    computed = fields(module, image.detach())
    checked = 0
    for name, output in outputs_of(module, image).items():
        field = computed.get(name)
        if not isinstance(output, Tensor) or output.ndim != 4 or field is None or field.everywhere:
            continue
        checked += 1
        for position in ((0, 0), (output.shape[2] - 1, output.shape[3] - 1)):
            rows, columns = support(output, image, position)
            assert_equal(rows, field.rows, position[0], size[0])
            assert_equal(columns, field.columns, position[1], size[1])
    assert checked >= layers


@pytest.mark.parametrize(
    ("arch", "layer", "size", "stride"),
    [
        ("resnet18", "layer4", 435, 32),  # Araujo, Norris and Sim, Distill 2019, of ResNet-v1
        ("alexnet", "features.12", 195, 32),
        ("tf_efficientnet_lite0", "blocks.6", 851, 32),
        ("lenet5", "s4", 16, 4),
        ("lenet5", "c5", 32, 4),
    ],
)
def test_published_fields(arch, layer, size, stride):
    with torch.device("meta"):
        image = torch.zeros(1, 1 if arch == "lenet5" else 3, *[32 if arch == "lenet5" else 224] * 2)
        field = fields(network(arch), image, [layer])[layer]
    assert (field.rows.size, field.rows.stride) == (size, stride)


def test_the_first_unit_is_centred_where_the_padding_puts_it():
    same = nn.Conv2d(3, 4, 3, padding=1)
    valid = nn.Conv2d(3, 4, 5, stride=2)
    assert fields(same, IMAGE)[""].rows == Axis(3, 1, -1)
    assert fields(same, IMAGE)[""].rows.start == 0
    assert fields(valid, IMAGE)[""].rows.start == 2


@pytest.mark.parametrize(
    "mixing",
    [
        lambda x: x * x.mean((2, 3), keepdim=True),
        lambda x: x.flatten(2).softmax(2).reshape(x.shape),
        lambda x: x.flip(2),
        lambda x: torch.cat([x, x.roll(1, 3)], 1),
        lambda x: x.flatten(1),
        lambda x: nn.functional.instance_norm(x),
    ],
)
def test_what_mixes_positions_reads_the_whole_image(mixing):
    class Mixing(nn.Module):
        def forward(self, x):
            return [mixing(x)]

    assert output_fields(Mixing(), IMAGE.clone()) == [Field()]


def test_axes_are_followed_through_permutations_and_views():
    class Moving(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 6)

        def forward(self, x):
            x = nn.functional.max_pool2d(x, 2)[:, :2].unflatten(1, (1, 2)).flatten(1, 2)
            x = torch.cat([x, x], 1).permute(0, 2, 3, 1)
            return [self.linear(x), self.linear(x).permute(0, 3, 1, 2)[:, :, 1:]]

    kept, shifted = output_fields(Moving(), IMAGE.clone())
    assert kept == Field(Axis(2, 2, 0), Axis(2, 2, 0))
    assert shifted == Field(Axis(2, 2, 2), Axis(2, 2, 0))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_fields_behind_an_enlargement_cover_the_support_of_its_gradients(mode):
    class Enlarging(nn.Module):
        def forward(self, x):
            return [nn.functional.interpolate(nn.functional.avg_pool2d(x, 4), scale_factor=2,
                                              mode=mode)]  # fmt: skip

    image = torch.ones(1, 1, 32, 32, requires_grad=True)
    (field,) = output_fields(Enlarging(), image.detach())
    (output,) = Enlarging()(image)
    for i in range(16):
        first = field.rows.first + i * field.rows.stride
        touched, _ = support(output, image, (i, i))
        assert first <= touched[0] <= touched[1] < first + field.rows.size
