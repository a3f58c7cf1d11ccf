"""Files and folders of weights: which is read, and what is wrong with the others."""

import json

import pytest
import torch
from safetensors.torch import save_file

from imrep.errors import BadParameter, WeightsNeeded
from imrep.weights.files import checkpoint

STATE = {"network.a": torch.ones(2), "network.b": torch.zeros(3)}


def sharded(folder, names=("1.safetensors", "2.safetensors"), **index):
    for name, key in zip(names, STATE, strict=False):
        save_file({key: STATE[key]}, folder / name)
    index = index or {"weight_map": dict(zip(STATE, names, strict=False))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def test_shards_are_joined_with_their_config(tmp_path):
    sharded(tmp_path)
    (tmp_path / "config.json").write_text('{"architecture": "resnet18"}')
    weights = checkpoint(tmp_path, "cnn")
    assert weights.state.keys() == STATE.keys()
    assert weights.config == {"architecture": "resnet18"} and not weights.ours


def test_an_absent_shard_is_named(tmp_path):
    sharded(tmp_path)
    (tmp_path / "2.safetensors").unlink()
    with pytest.raises(
        WeightsNeeded, match=r"cnn needs every file .*, got no 2\.safetensors\. Copy"
    ):
        checkpoint(tmp_path, "cnn")


@pytest.mark.parametrize("index", ["{", "[]", '{"weight_map": 5}', "{}"])
def test_a_damaged_index_is_named(tmp_path, index):
    (tmp_path / "pytorch_model.bin.index.json").write_text(index)
    with pytest.raises(BadParameter, match=r"cnn cannot read pytorch_model\.bin\.index\.json"):
        checkpoint(tmp_path, "cnn")


@pytest.mark.parametrize("config", ["{", "[1]", None])
def test_an_unreadable_config_is_none(tmp_path, config):
    save_file(STATE, tmp_path / "model.safetensors")
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    assert checkpoint(tmp_path, "cnn").config == {}


def test_a_config_belongs_to_standard_names_alone(tmp_path):
    (tmp_path / "config.json").write_text('{"architecture": "resnet18"}')
    save_file(STATE, tmp_path / "mine.safetensors")
    assert checkpoint(tmp_path / "mine.safetensors", "cnn").config == {}
    save_file(STATE, tmp_path / "weights.safetensors")
    assert checkpoint(tmp_path / "weights.safetensors", "cnn").config != {}


@pytest.mark.parametrize(
    ("config", "prefix", "ours"),
    [({"spec": "cnn"}, "network.", True), ({"spec": "cnn"}, "other.", False),
     ({"model": "x"}, "network.", False)],
)  # fmt: skip
def test_what_save_wrote_is_recognised(tmp_path, config, prefix, ours):
    save_file({f"{prefix}a": torch.ones(1)}, tmp_path / "weights.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert checkpoint(tmp_path, "cnn").ours == ours


def test_the_standard_name_is_read_among_others(tmp_path):
    save_file({"other": torch.ones(1)}, tmp_path / "a.safetensors")
    save_file(STATE, tmp_path / "model.safetensors")
    assert checkpoint(tmp_path, "cnn").state.keys() == STATE.keys()


def test_a_pointer_of_git_lfs_says_what_to_fetch(tmp_path):
    (tmp_path / "net.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(BadParameter, match=r"net\.pt: it is Git LFS's pointer.*git lfs pull"):
        checkpoint(tmp_path / "net.pt", "cnn")


def test_nested_wrappers_of_trainers_are_opened(tmp_path):
    torch.save({"epoch": 3, "model": {"state_dict": STATE}}, tmp_path / "net.ckpt")
    assert checkpoint(tmp_path / "net.ckpt", "cnn").state.keys() == STATE.keys()
