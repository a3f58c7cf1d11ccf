"""Convolutional networks: LeNet-5 as published, timm's and torchvision's by name, their weights."""

import re

import pytest
import torch
from torch import nn

import imrep
from imrep.codes import Views
from imrep.errors import BadCode, BadImage, BadParameter, NotFitted, WeightsNeeded
from imrep.networks import layers
from imrep.networks.pooling import pool
from imrep.testing import photo

_TINY = "cnn:arch=test_resnet,weights=random"


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """Empty caches of the libraries that host weights."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    return tmp_path


def test_lenet_is_the_published_one():
    lenet = imrep.get("cnn:arch=lenet5,weights=random")
    assert sum(p.numel() for p in lenet.parameters()) == 61_706
    assert lenet.canvas == 32
    shapes = [
        tuple(imrep.get(f"cnn:arch=lenet5,weights=random,layer={i}").encode(photo()).values.shape)
        for i in range(5)
    ]
    assert shapes == [
        (2, 6, 28, 28),
        (2, 6, 14, 14),
        (2, 16, 10, 10),
        (2, 16, 5, 5),
        (2, 120, 1, 1),
    ]


def test_lenet_sees_gray_and_any_size():
    lenet = imrep.get("cnn:arch=lenet5,weights=random")
    image = photo(50, 33)
    gray = (image * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(lenet.embed(image), lenet.embed(gray))
    assert lenet.embed(photo(1, 1)).shape == (2, 120)


def test_the_map_is_the_networks_own():
    import timm

    cnn = imrep.get(_TINY)
    whole = timm.create_model("test_resnet", pretrained=False, num_classes=0).eval()
    whole.load_state_dict(cnn.network.state_dict())
    image = photo(96, 64)
    with torch.no_grad():
        wanted = whole.forward_features((image - 0.5) / 0.5)
    code = cnn.encode(image)
    torch.testing.assert_close(code.values, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(cnn.embed(image), wanted.mean((2, 3)), rtol=1e-4, atol=1e-5)
    assert code.size == (96, 64)


@pytest.mark.parametrize(("layer", "stride"), [(0, 2), (1, 4), (-1, 32)])
def test_layers_are_stages(layer, stride):
    values = imrep.get(f"{_TINY},layer={layer}").encode(photo(64, 96)).values
    assert tuple(values.shape[2:]) == (64 // stride, 96 // stride)


def test_layers_by_name_number_and_slash_are_the_same_maps():
    image, names = photo(64, 96), "act1/layer1/layer2/layer3/layer4"
    named = imrep.get(f"{_TINY},layer={names}").encode(image)
    numbered = imrep.get(f"{_TINY},layer=0/1/2/-2/-1").encode(image)
    for layer, (ours, theirs) in enumerate(zip(named.codes, numbered.codes, strict=True)):
        single = imrep.get(f"{_TINY},layer={layer}").encode(image)
        assert ours.values.equal(theirs.values)
        torch.testing.assert_close(ours.values, single.values, rtol=1e-4, atol=1e-5)


def test_several_layers_are_side_by_side_each_of_length_one():
    cnn, image = imrep.get(f"{_TINY},layer=layer2.0/penultimate"), photo(64, 64)
    vector = cnn.embed(image)
    first, second = (imrep.get(f"{_TINY},layer={name}") for name in ("layer2.0", "penultimate"))
    parts = [torch.nn.functional.normalize(rep.embed(image)) for rep in (first, second)]
    torch.testing.assert_close(vector, torch.cat(parts, 1))
    assert cnn.picture(cnn.encode(image)).shape[:2] == (2, 3)
    with pytest.raises(BadCode, match="needs a Views, got Map"):
        cnn.pool(first.encode(image))
    with pytest.raises(BadCode, match="needs a code of each of 2 layers"):
        cnn.pool(Views((first.encode(image),)))


def test_the_penultimate_vector_is_that_of_the_head():
    image = photo(64, 64)
    head = imrep.get(f"{_TINY},pooling=head")
    penultimate = imrep.get(f"{_TINY},layer=penultimate")
    torch.testing.assert_close(penultimate.embed(image), head.embed(image))
    lenet = imrep.get("cnn:arch=lenet5,weights=random,layer=penultimate")
    assert lenet.embed(image).shape == (2, 84)


def test_the_complete_network_classifies_with_gradients():
    cnn, image = imrep.get(_TINY), photo(64, 64).requires_grad_()
    network = cnn.complete()
    outputs, logits = layers.gather(network, cnn.normalised(image), ["layer4"])
    assert logits.shape == (2, 1000)
    torch.testing.assert_close(outputs["layer4"], cnn.encode(image).values, rtol=1e-4, atol=1e-5)
    logits[:, 3].sum().backward()
    assert image.grad.abs().sum() > 0


def test_the_complete_network_has_the_classes_of_its_weights(tmp_path):
    import timm

    torch.save(timm.create_model("test_resnet", num_classes=7).state_dict(), tmp_path / "net.pt")
    cnn = imrep.get("cnn:arch=test_resnet,layer=layer3.0", weights=str(tmp_path / "net.pt"))
    network = cnn.complete()
    with torch.no_grad():
        assert network(cnn.normalised(photo())).shape == (2, 7)
    assert cnn.dim == 192


@pytest.mark.parametrize("pooling", ["mean", "max", "l2", "centre", "attention"])
def test_poolings_of_cells_keep_their_length(pooling):
    cnn = imrep.get(f"{_TINY},layer=layer2.0,pooling={pooling},cells=2")
    assert cnn.embed(photo(64, 96)).shape == cnn.embed(photo(33, 40)).shape == (2, 4 * 48)
    values = cnn.encode(photo(64, 96)).values
    torch.testing.assert_close(cnn.embed(photo(64, 96)), pool(values, pooling, 2))


def test_half_precision_hardly_moves_a_vector_and_enters_the_fingerprint():
    cnn, half = imrep.get(_TINY), imrep.get(f"{_TINY},precision=bfloat16")
    image = photo(64, 64)
    first, second = cnn.embed(image), half.embed(image)
    assert second.dtype == torch.float32
    assert not first.equal(second)
    assert torch.nn.functional.cosine_similarity(first, second).min() > 0.999
    assert cnn.fingerprint != half.fingerprint


def test_new_parameters_at_their_defaults_leave_the_fingerprint():
    cnn = imrep.get(_TINY)
    assert cnn._identity() == "cnn:arch=test_resnet,weights=random"
    assert all(key.startswith("network.") for key in cnn.state_dict())


def images_of_classes(side=32):
    """Eight images each of bright and dark halves."""
    labels = torch.arange(16) % 2
    image = photo(side, side, batch=16) * 0.3
    image[labels == 1, :, : side // 2] += 0.6
    return image, labels


@pytest.mark.parametrize(
    "parameters",
    ["layer=penultimate", "layer=1/-1,pooling=attention", "layer=layer3.0,cells=2,pooling=max"],
)
def test_training_separates_classes(parameters, tmp_path):
    cnn = imrep.get(f"{_TINY},epochs=25,{parameters}")
    image, labels = images_of_classes()
    assert cnn.needs_fit
    with pytest.raises(NotFitted, match="cnn needs labelled images to train on"):
        cnn.embed(image)
    untrained = imrep.get(f"{_TINY},{parameters},classes=2,side=32")
    cnn.fit(image, labels)
    assert (cnn.needs_fit, cnn.classes, cnn.canvas) == (False, 2, 32)
    batch = {"image": image, "label": labels}
    with torch.no_grad():
        assert cnn.loss(batch) < 0.7 * untrained.loss(batch)
    back = imrep.load(cnn.save(tmp_path / "trained"))
    assert back.fingerprint == cnn.fingerprint
    assert back.embed(image).equal(cnn.embed(image))


def test_what_was_trained_is_read_as_weights(tmp_path):
    """With its classifier and its attention; at another layer the network alone."""
    parameters = "layer=1/-1,pooling=attention,cells=2"
    cnn, (image, labels) = imrep.get(f"{_TINY},epochs=3,{parameters}"), images_of_classes()
    cnn.fit(image, labels)
    folder = str(cnn.save(tmp_path / "run" / "model"))
    for spec in ("cnn", "cnn:arch=test_resnet", f"cnn:{parameters},side=32,epochs=3"):
        for weights in (folder, str(tmp_path / "run")):
            again = imrep.get(spec, weights=weights)
            assert again.embed(image).equal(cnn.embed(image)) and not again.needs_fit
            assert again.classifier.linear.weight.equal(cnn.classifier.linear.weight)
            assert (again.canvas, again.crop, again.resampling) == (32, 1.0, "bilinear")
            assert imrep.get(again.spec).fingerprint == again.fingerprint
    other = imrep.get("cnn:layer=2,pooling=max", weights=folder)
    assert other.embed(image).shape == (16, 4 * 48) and other.classifier is None
    key = "conv1.0.weight"
    trained = cnn.network.state_dict()[f"whole.{key}"]
    assert other.network.state_dict()[key].equal(trained)
    with pytest.raises(BadParameter, match=r"weights of resnet18, got those of test_resnet"):
        imrep.get("cnn:arch=resnet18", weights=folder)
    assert imrep.get("cnn:epochs=1,classes=3", weights=folder).needs_fit


def test_the_side_of_training_is_that_of_the_trained_network(tmp_path):
    cnn, (image, labels) = imrep.get(f"{_TINY},classes=2"), images_of_classes(48)
    assert cnn.canvas is None
    cnn.train().loss({"image": image, "label": labels})
    cnn.eval().begin_epoch(0)
    for again in (imrep.load(cnn.save(tmp_path)), imrep.get("cnn", weights=str(tmp_path))):
        assert (again.canvas, again.side, again.crop) == (48, None, 1.0)


def test_learned_attention_moves_from_the_parameter_free_one():
    cnn = imrep.get(f"{_TINY},epochs=3,pooling=attention,layer=2")
    cnn.fit(*images_of_classes())
    assert cnn.classifier.direction(0).abs().max() > 0


def test_training_reads_the_batch_and_embedding_does_not():
    cnn = imrep.get(f"{_TINY},classes=2,side=32")
    image, labels = images_of_classes()
    before = {key: value.clone() for key, value in cnn.state_dict().items()}
    cnn.train().loss({"image": image, "label": labels}).backward()
    assert not before["network.bn1.running_mean"].equal(cnn.network.bn1.running_mean)
    gradients = [p.grad for p in cnn.parameters()]
    assert all(g is not None and g.isfinite().all() for g in gradients)
    assert not any(module.training for module in cnn.network.modules())
    torch.testing.assert_close(cnn.embed(image)[:1], cnn.embed(image[:1]))


@pytest.mark.parametrize(
    ("layer", "heads"), [("inception3b", 0), ("inception4c", 1), ("-1", 2), ("penultimate", 2)]
)
def test_googlenet_trains_the_auxiliary_heads_that_its_layer_needs(layer, heads):
    cnn = imrep.get(f"cnn:arch=googlenet,weights=random,side=64,classes=2,layer={layer}")
    assert len(cnn.classifier.auxiliary) == heads
    batch = {"image": photo(64, 64), "label": torch.tensor([0, 1])}
    cnn.train()
    cnn.classifier.auxiliary.eval()  # no dropout
    loss = cnn.loss(batch)
    loss.backward()
    assert all(p.grad is not None for p in cnn.classifier.parameters())
    assert cnn.embed(photo(64, 64)).shape == (2, cnn.classifier.linear.in_features)


def test_training_needs_epochs_and_classes():
    image, labels = images_of_classes()
    with pytest.raises(BadParameter, match=r"cnn needs epochs to be trained, got 0"):
        imrep.get(_TINY).fit(image, labels)
    with pytest.raises(BadParameter, match=r"cnn needs classes to be trained, got 0"):
        imrep.get(_TINY).loss({"image": image, "label": labels})


def test_a_side_of_torchvisions_networks_is_that_of_their_images():
    cnn = imrep.get("cnn:arch=squeezenet1_1,weights=random,side=64")
    assert cnn.canvas == 64
    assert tuple(cnn.encode(photo(96, 96)).values.shape[2:]) == (3, 3)


def test_torchvision_builds_networks_that_timm_lacks():
    from torchvision import models

    cnn = imrep.get("cnn:arch=squeezenet1_1,weights=random")
    whole = models.squeezenet1_1(weights=None).eval()
    whole.load_state_dict(cnn.network.whole.state_dict(), strict=False)
    image = photo(64, 64)
    mean, std = (torch.tensor(v)[:, None, None] for v in (cnn._mean, cnn._std))
    with torch.no_grad():
        wanted = whole.features((image - mean) / std)
    torch.testing.assert_close(cnn.encode(image).values, wanted, rtol=1e-4, atol=1e-5)


def test_torchvisions_network_of_a_name_that_timm_has_too(tmp_path):
    """With the names of a published DenseNet, whose layers torchvision has renamed since."""
    from torchvision import models

    network = models.densenet121(weights=None, num_classes=3).eval()
    image = photo(64, 64, batch=1)
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): value
        for key, value in network.state_dict().items()
    }
    assert old.keys() != network.state_dict().keys()
    torch.save(old, tmp_path / "densenet.pth")
    arch = "torchvision/densenet121"
    cnn = imrep.get(f"cnn:arch={arch},layer=penultimate", weights=str(tmp_path / "densenet.pth"))
    vector = cnn.embed(image)
    mean, std = (torch.tensor(v)[:, None, None] for v in (cnn._mean, cnn._std))
    with torch.no_grad():
        torch.testing.assert_close(
            network.classifier(vector), network((image - mean) / std), rtol=1e-4, atol=1e-5
        )
    back = imrep.load(cnn.save(tmp_path / "saved"))
    assert back.fingerprint == cnn.fingerprint


def test_random_weights_are_the_same_each_time():
    torch.manual_seed(1)
    first = imrep.get(_TINY)
    torch.manual_seed(2)
    assert first.fingerprint == imrep.get(_TINY).fingerprint
    assert first.canvas is None


def test_every_residual_branch_of_a_random_network_speaks():
    norms = [m for m in imrep.get(_TINY).network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert all(norm.weight.any() for norm in norms)


def test_no_weight_has_a_gradient_and_training_changes_nothing():
    cnn = imrep.get(_TINY).train()
    assert not any(module.training for module in cnn.modules())
    image = photo().requires_grad_()
    cnn.embed(image).sum().backward()
    assert image.grad.abs().sum() > 0
    assert all(p.grad is None for p in cnn.parameters())


def test_published_weights_must_be_at_hand(caches):
    with pytest.raises(WeightsNeeded, match=r"resnet50\.a1_in1k, .*--download.*weights=FOLDER"):
        imrep.get("cnn")
    with pytest.raises(WeightsNeeded, match="none of lenet5 are hosted"):
        imrep.get("cnn:arch=lenet5")


def test_published_weights_load_from_the_hubs_cache(caches):
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(7)
    published = timm.create_model("test_resnet", pretrained=False)
    _into_hub(caches, "timm/test_resnet.r160_in1k", published, save_file)
    cnn = imrep.get("cnn:arch=test_resnet")
    assert cnn.canvas == 160
    assert torch.equal(cnn.network.state_dict()["conv1.0.weight"], published.conv1[0].weight)
    back = imrep.load(cnn.save(caches / "saved"))
    assert (back.weights, back.fingerprint, back.canvas) == ("published", cnn.fingerprint, 160)


def test_published_names_are_fitted_by_timm(caches):
    """A checkpoint whose names differ from those of the network that is cut off."""
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(7)
    published = timm.create_model("test_convnext", pretrained=False)
    _into_hub(caches, "timm/test_convnext.r160_in1k", published, save_file)
    cnn = imrep.get("cnn:arch=test_convnext")
    stored = published.state_dict()["stem.0.weight"]
    assert torch.equal(cnn.network.state_dict()["stem_0.weight"], stored)


def test_published_weights_load_from_torchs_cache(caches):
    from torchvision import models

    published = models.squeezenet1_1(weights=None)
    url = models.SqueezeNet1_1_Weights.DEFAULT.url
    (caches / "torch" / "checkpoints").mkdir(parents=True)
    torch.save(published.state_dict(), caches / "torch" / "checkpoints" / url.rpartition("/")[2])
    cnn = imrep.get("cnn:arch=squeezenet1_1")
    assert cnn.canvas == 224
    assert torch.equal(cnn.network.whole.features[0].weight, published.features[0].weight)


def test_a_folder_enters_the_spec_as_given_and_the_fingerprint_by_its_digest(tmp_path):
    lenet = imrep.get("cnn:arch=lenet5,weights=random")
    nn.init.ones_(lenet.network.whole.c1[0].bias)
    folder = lenet.save(tmp_path / "mine")
    cnn = imrep.get("cnn:arch=lenet5", weights=str(folder))
    torch.testing.assert_close(cnn.embed(photo()), lenet.embed(photo()))
    assert cnn.spec == f"cnn:arch=lenet5,weights={folder}"
    assert imrep.get(cnn.spec).fingerprint == cnn.fingerprint
    back = imrep.load(cnn.save(tmp_path / "again"))
    assert (back.spec, back.fingerprint) == (str(tmp_path / "again"), cnn.fingerprint)
    assert back.embed(photo()).equal(cnn.embed(photo()))


def test_a_plain_state_dict_is_read_and_another_is_refused(tmp_path):
    import timm

    torch.save(timm.create_model("test_resnet").state_dict(), tmp_path / "net.pt")
    assert imrep.get("cnn:arch=test_resnet", weights=str(tmp_path / "net.pt")).dim == 96
    with pytest.raises(BadParameter, match="cnn needs weights of lenet5, got others"):
        imrep.get("cnn:arch=lenet5", weights=str(tmp_path / "net.pt"))
    with pytest.raises(BadParameter, match="cnn needs weights of resnet18, got others"):
        imrep.get("cnn:arch=resnet18", weights=str(tmp_path / "net.pt"))


def test_too_small_an_image_is_refused():
    with pytest.raises(BadImage, match=r"at least 17×17 for squeezenet1_1, got 2×9. Enlarge"):
        imrep.get("cnn:arch=squeezenet1_1,weights=random").embed(photo(2, 9))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cnn:arch=resnet81,weights=random", "Did you mean"),
        ("cnn:arch=vit_b_16,weights=random", "needs arch to be a network of timm or torchvision"),
        ("cnn:arch=resnet18.mine,weights=random", "Invalid pretrained tag"),
        ("cnn:arch=test_resnet,weights=random,layer=7", "needs layer to be a stage of test_resnet"),
        ("cnn:arch=lenet5,weights=random,layer=5", "from -5 to 4, got 5"),
        (
            "cnn:arch=test_resnet,weights=random,pooling=head,cells=2",
            "a pooling of maps for cells=2",
        ),
        ("cnn:arch=test_resnet,weights=random,pooling=head,epochs=2", "Use layer=penultimate"),
        ("cnn:arch=test_resnet,weights=random,precision=half", "precision"),
        ("cnn:arch=test_resnet,weights=random,layer=layer9", "module of test_resnet.*Try layer4"),
        ("cnn:arch=test_resnet,weights=random,layer=9/layer4", "from -5 to 4, got 9"),
        ("cnn:arch=test_resnet,weights=random,layer=4/layer4", "needs each layer once"),
    ],
)
def test_bad_parameters_are_refused(spec, message):
    with pytest.raises(BadParameter, match=message):
        imrep.get(spec)


def _into_hub(caches, repository, network, save):
    folder = caches / "hub" / f"models--{repository.replace('/', '--')}"
    (folder / "snapshots" / "0123").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123")
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    save(state, folder / "snapshots" / "0123" / "model.safetensors")
