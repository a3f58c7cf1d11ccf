"""Configurations of timm and transformers beside a checkpoint."""

import pytest

from imrep.errors import BadParameter
from imrep.weights.configuration import architecture, images
from imrep.weights.files import Checkpoint


def read(config=None, processor=None):
    return images(Checkpoint({}, "model.safetensors", config or {}, processor or {}), "cnn")


@pytest.mark.parametrize(
    ("key", "value", "form"),
    [
        ("input_size", "x", r"\[3, side, side\], got 'x'"),
        ("input_size", [3, 0, 0], r"\[3, side, side\]"),
        ("input_size", [1, 224, 224], r"\[3, side, side\]"),
        ("input_size", [3, 224, 192], r"\[3, side, side\]"),
        ("input_size", [3, 1e9, 1e9], r"\[3, side, side\]"),
        ("mean", [1, 2], "three numbers"),
        ("mean", [0.5, 0.5, float("nan")], "three numbers"),
        ("std", [0, 1, 1], "three numbers above 0"),
        ("std", 0.5, "three numbers above 0"),
        ("crop_pct", -1, "a number above 0"),
        ("crop_pct", True, "a number above 0"),
        ("interpolation", 5, "a filter's name"),
    ],
)
def test_values_that_cannot_be_are_named(key, value, form):
    for config in ({"pretrained_cfg": {key: value}}, {"architecture": "net", key: value}):
        with pytest.raises(BadParameter, match=f"beside model.safetensors to give {key} as {form}"):
            read(config)


@pytest.mark.parametrize("config", [{}, {"pretrained_cfg": None}, {"pretrained_cfg": 3}])
def test_what_is_not_said_is_left_out(config):
    assert read(config) == {}
    assert read({"pretrained_cfg": {"mean": None, "crop_pct": 1.0}}) == {"crop_pct": 1.0}


MEAN = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3}
NORMALISED = {"mean": [0.5] * 3, "std": [0.25] * 3}


@pytest.mark.parametrize(
    ("processor", "facts"),
    [
        (  # of DINOv2
            {"do_center_crop": True, "crop_size": {"height": 224, "width": 224},
             "size": {"shortest_edge": 256}, "resample": 3, **MEAN},
            {"input_size": [3, 224, 224], "crop_pct": 0.875, "interpolation": "bicubic",
             **NORMALISED},
        ),
        (  # of ViT and SigLIP
            {"size": {"height": 384, "width": 384}, "resample": 2, **MEAN},
            {"input_size": [3, 384, 384], "crop_pct": 1.0, "interpolation": "bilinear",
             **NORMALISED},
        ),
        ({"size": 224, **MEAN}, {"input_size": [3, 224, 224], "crop_pct": 1.0, **NORMALISED}),
        ({"do_normalize": False}, {"mean": [0.0] * 3, "std": [1.0] * 3}),
        ({"size": {"height": 1, "width": 2}, **MEAN}, NORMALISED),
        ({"size": "large"}, {}),
    ],
)  # fmt: skip
def test_processors_of_transformers_are_read(processor, facts):
    assert read({"model_type": "vit"}, processor) == facts


@pytest.mark.parametrize(
    ("config", "arch"),
    [({"architecture": "resnet18"}, "resnet18"), ({"architecture": 7}, ""), ({}, ""),
     ({"spec": "cnn:arch=lenet5,weights=random"}, "lenet5"), ({"spec": "hog+dct"}, "")],
)  # fmt: skip
def test_the_network_is_named_by_timm_and_by_save(config, arch):
    assert architecture(config) == arch
