"""Sizes of both towers: the official numbers of parameters, and those that shapes say."""

import json
from importlib.util import find_spec

import clip_checkpoints
import pytest
import torch

from imrep.errors import BadParameter
from imrep.represent.language.clip import configuration, towers

pytestmark = pytest.mark.skipif(  # importing it while tests are collected would take seconds
    find_spec("open_clip") is None, reason="needs the extra clip: pip install 'imrep[clip]'"
)


@pytest.mark.parametrize("arch", ["RN50", "ViT-B-32", "ViT-B-16", "ViT-L-14"])
def test_models_have_the_official_number_of_parameters(arch, refs):
    stored = json.loads((refs / "learned" / "clip.json").read_text())[f"params_{arch}"]
    with torch.device("meta"):
        network = towers.build(configuration.of_arch(arch, "clip"), "clip")
    assert sum(p.numel() for p in network.parameters()) == stored["total"]
    assert sum(p.numel() for p in network.visual.parameters()) == stored["visual"]


@pytest.mark.parametrize(
    "arch", ["RN50", "ViT-B-32", "ViT-H-14", "ViT-g-14", "ViT-bigG-14", "ViT-B-16-SigLIP"]
)
def test_shapes_say_what_open_clip_lists(arch):
    listed = configuration.of_arch(arch, "clip")
    with torch.device("meta"):
        state = towers.build(listed, "clip").state_dict()
        sizes = configuration.inferred(state, image_heads=None, text_heads=None)
        again = towers.build(configuration.Configuration(sizes), "clip").state_dict()
    assert {k: v.shape for k, v in again.items()} == {k: v.shape for k, v in state.items()}
    text = sizes["text_cfg"]
    assert all(text[key] == value for key, value in listed.text.items() if key in text)
    vision = listed.sizes["vision_cfg"]
    own = sizes["vision_cfg"]
    assert own.pop("mlp_ratio", 4) == pytest.approx(vision.get("mlp_ratio", 4), abs=1e-2)
    assert all(own[key] == value for key, value in vision.items() if key in own)
    assert configuration.Configuration(sizes).side == listed.side


def test_other_tensors_have_no_sizes():
    none = {"image_heads": None, "text_heads": None}
    assert configuration.inferred({"a": torch.zeros(2)}, **none) is None
    state = clip_checkpoints.model().state_dict()
    del state["visual.conv1.weight"]
    assert configuration.inferred(state, **none) is None


def test_a_file_of_open_clips_form_is_a_model(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(clip_checkpoints.SIZES))
    assert configuration.of_arch(str(path), "clip").side == 32
    path.write_text("[1]")
    with pytest.raises(BadParameter, match=r"needs a model_cfg of open_clip .* in mine\.json"):
        configuration.of_arch(str(path), "clip")
