"""Networks of libraries read the images of their checkpoint, before and after they are saved."""

import json

import pytest
import torch
from safetensors.torch import save_file

import imrep
from imrep.testing import photo

OWN = {"input_size": [3, 96, 96], "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6],
       "crop_pct": 0.8, "interpolation": "bilinear"}  # fmt: skip


def snapshot(folder, arch, config, **options):
    import timm

    folder.mkdir()
    torch.manual_seed(3)
    state = timm.create_model(arch, **options).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(
    ("name", "arch", "options"),
    [("cnn", "test_resnet", {}), ("cnn", "test_vit", {"img_size": 96}),
     ("vit", "test_vit", {"img_size": 96})],
)  # fmt: skip
def test_the_configuration_gives_network_and_images_and_is_saved(
    name, arch, options, nested, tmp_path
):
    import timm

    config = {"pretrained_cfg": OWN} if nested else OWN
    folder = snapshot(tmp_path / "snapshot", arch, {"architecture": arch, **config}, **options)
    rep, image = imrep.get(name, weights=folder), photo(96, 96)
    assert (rep.arch, rep.canvas, rep.crop, rep.resampling) == (arch, 96, 0.8, "bilinear")
    assert rep.spec == f"{name}:arch={arch},weights={folder}"
    assert imrep.get(rep.spec).fingerprint == rep.fingerprint
    mean, std = (torch.tensor(OWN[key])[:, None, None] for key in ("mean", "std"))
    network = timm.create_model(arch, **options).eval()
    network.load_state_dict(imrep.get(f"cnn:arch={arch}", weights=folder).complete().state_dict())
    with torch.no_grad():
        features = network.forward_features((image - mean) / std)
        expected = network.forward_head(features, pre_logits=True)
    own = imrep.get(f"{name}:arch={arch},pooling=head", weights=folder)
    torch.testing.assert_close(own.embed(image), expected, rtol=1e-4, atol=1e-4)
    back = imrep.load(rep.save(tmp_path / "saved"))
    for again in (back, imrep.get(name, weights=str(tmp_path / "saved"))):
        assert again.embed(image).equal(rep.embed(image))
        assert (again.canvas, again.crop, again.resampling) == (96, 0.8, "bilinear")
        assert again.fingerprint == rep.fingerprint


def test_another_normalisation_of_the_same_weights_has_another_fingerprint(tmp_path):
    same = {"architecture": "test_resnet", "pretrained_cfg": {"mean": [0.5] * 3}}
    other = {"architecture": "test_resnet", "pretrained_cfg": {"mean": [0.4] * 3}}
    prints = [
        imrep.get("cnn", weights=snapshot(tmp_path / name, "test_resnet", config)).fingerprint
        for name, config in (("none", {"architecture": "test_resnet"}), ("a", same), ("b", other))
    ]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("weights", ["random", "FILE"])
def test_inception_of_torchvision_keeps_its_normalisation(weights, tmp_path):
    """Which is another where it is trained from random weights."""
    from torchvision import models

    if weights == "FILE":
        weights = str(tmp_path / "net.pth")
        network = models.inception_v3(weights=None, init_weights=False)
        torch.save(network.state_dict(), weights)
    spec = "cnn:arch=torchvision/inception_v3,layer=Conv2d_2a_3x3,side=80"
    rep, image = imrep.get(spec, weights=weights), photo(80, 80)
    assert rep._mean == ((0.485, 0.456, 0.406) if weights == "random" else (0.5,) * 3)
    folder = rep.save(tmp_path / "saved")
    for again in (imrep.load(folder), imrep.get("cnn", weights=str(folder))):
        assert again.embed(image).equal(rep.embed(image)) and again._mean == rep._mean
    assert imrep.load(folder).fingerprint == rep.fingerprint


def test_published_files_of_torchvision_have_the_crop_of_their_name(tmp_path):
    from torchvision import models

    state = models.resnet50(weights=None).state_dict()
    crops = []
    for own in (models.ResNet50_Weights.IMAGENET1K_V1, models.ResNet50_Weights.IMAGENET1K_V2):
        file = tmp_path / own.url.rpartition("/")[2]
        torch.save(state, file)
        crops.append(imrep.get("cnn:arch=torchvision/resnet50", weights=str(file)).crop)
    assert crops == [224 / 256, 224 / 232]
