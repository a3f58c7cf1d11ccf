"""Files of weights: the authors' layout there and back, their backbone, and what is refused."""

import pickle

import pytest
import torch
from caption_fixture import CAPTIONS, NEEDS_SENTENCEPIECE

import imrep
from imrep.errors import BadParameter, WeightsNeeded
from imrep.represent.language.virtex import checkpoint
from imrep.represent.language.virtex.tokens import Tokens
from imrep.represent.language.virtex.visual import VisualBackbone
from imrep.testing import photo

SPEC = "virtex:weights=random,arch=resnet18,side=64,hidden=64,layers=2,vocabulary=50,max_length=8"


@pytest.fixture(scope="module")
def made():
    rep = imrep.get(SPEC)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in rep.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return rep


@pytest.fixture(scope="module")
def official(made):
    """Its tensors as the authors store them."""
    return checkpoint.official(made.state_dict())


@pytest.fixture
def stored(official, tmp_path):
    """Store tensors as a checkpoint of the authors; returns the path."""

    def store(changes=None):
        state = {**official, **(changes or {})}
        state = {name: tensor for name, tensor in state.items() if tensor is not None}
        path = tmp_path / "checkpoint_500000.pth"
        torch.save({"model": state, "iteration": 500000, "optimizer": {}}, path)
        return path

    return store


def test_the_authors_layout(official):
    names = {name for name in official if "layers.0" in name or "layers" not in name}
    shared = {"visual_projection.weight", "embedding.words.weight", "output.weight", "output.bias"}
    for direction in ("textual", "backward_textual"):
        assert {f"{direction}.{name}" for name in shared} <= names
        assert f"{direction}.transformer.layers.0.multihead_attn.in_proj_weight" in names
    assert "visual.cnn.layer4.1.bn2.running_mean" in names
    assert not any("decoder" in name for name in official)


def test_a_checkpoint_of_the_authors_decides_the_network(made, stored):
    rep = imrep.get(f"virtex:weights='{stored()}',side=64")
    params = {key: getattr(rep, key) for key in ("arch", "hidden", "layers", "vocabulary", "task")}
    assert params == {
        "arch": "resnet18", "hidden": 64, "layers": 2, "vocabulary": 50, "task": "bicaptioning",
    }  # fmt: skip
    assert torch.equal(rep.embed(photo()), made.embed(photo()))
    before = {name: tensor for name, tensor in made.state_dict().items() if "tokens" not in name}
    after = rep.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_forward_captioning_has_one_direction(stored, official):
    without = {name: None for name in official if name.startswith("backward_textual")}
    path = stored(without)
    for task, expected in (("", "captioning"), (",task=masked-lm", "masked-lm")):
        rep = imrep.get(f"virtex:weights='{path}',side=64{task}")
        assert rep.textual.backward_decoder is None and rep.task == expected


@pytest.mark.parametrize("task", ["token-classification", "multilabel-classification"])
def test_linear_heads_of_the_authors(task, tmp_path):
    more = {"task": task, "classes": 49}
    state = imrep.get("virtex:weights=random,arch=resnet18,side=64,vocabulary=50", **more)
    torch.save({"model": checkpoint.official(state.state_dict())}, tmp_path / "linear.pth")
    named = "" if task.startswith("token") else f",task={task}"
    rep = imrep.get(f"virtex:weights='{tmp_path / 'linear.pth'}',side=64{named}")
    assert rep.task == task
    assert torch.equal(rep.textual.output.weight, state.textual.output.weight)


def test_a_backbone_alone_writes_no_captions(made, tmp_path):
    torch.save(made.visual.cnn.state_dict(), tmp_path / "resnet.pth")
    rep = imrep.get(f"virtex:weights='{tmp_path / 'resnet.pth'}',side=64")
    assert torch.equal(rep.embed(photo()), made.embed(photo()))
    assert rep.task == "none"
    with pytest.raises(BadParameter, match="decoder of captions"):
        rep.caption(photo())


WORDS = "textual.embedding.words.weight"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"visual.cnn.layer2.0.conv1.weight": None}, "missing"),
        ({"textual.transformer.layers.1.norm3.bias": None}, "missing"),
        ({"visual.cnn.extra": torch.zeros(3)}, "no part of it"),
        ({"textual.output.weight": torch.zeros(50, 64)}, "shares"),
        ({"backward_textual.visual_projection.bias": torch.ones(64)}, "shares"),
        ({"visual.cnn.bn1.weight": torch.full((64,), torch.nan)}, "NaN"),
        ({WORDS: None}, "virtex"),
    ],
)
def test_other_tensors_are_refused(stored, changes, message):
    with pytest.raises(BadParameter, match=message):
        imrep.get(f"virtex:weights='{stored(changes)}',side=64")


def test_junk_is_refused(tmp_path):
    torch.save({"foo": torch.zeros(3)}, tmp_path / "junk.pth")
    with pytest.raises(BadParameter, match="foo"):
        imrep.get(f"virtex:weights='{tmp_path / 'junk.pth'}'")


def test_no_pickled_code_runs(tmp_path):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("code of a pickle ran",))

    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"model": Evil()}, 2))
    torch.save({"model": Evil()}, tmp_path / "zipped.pth")
    for name in ("evil.pth", "zipped.pth"):
        with pytest.raises(BadParameter, match="cannot read weights"):
            imrep.get(f"virtex:weights='{tmp_path / name}'")


def test_published_weights_are_asked_for_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsNeeded, match="bicaptioning_R_50_L1_H2048"):
        imrep.get("virtex")


@NEEDS_SENTENCEPIECE
def test_a_tokenizer_beside_the_weights_is_read(stored, tmp_path):
    tokens = Tokens("virtex")
    tokens.train_on(CAPTIONS, 50)
    assert tokens.count == 50
    path = stored()
    content = tokens.model.numpy().tobytes()
    (path.parent / "coco.model").write_bytes(content)
    rep = imrep.get(f"virtex:weights='{path}',side=64")
    (tmp_path / "elsewhere").mkdir()
    (path.parent / "coco.model").rename(tmp_path / "elsewhere" / "coco.model")
    named = imrep.get(
        f"virtex:weights='{path}',side=64,tokenizer='{tmp_path / 'elsewhere' / 'coco.model'}'"
    )
    assert rep.caption(photo()) == named.caption(photo())
    assert rep.fingerprint == named.fingerprint
    with pytest.raises(BadParameter, match="tokenizer=FILE"):
        imrep.get(f"virtex:weights='{path}',side=64").caption(photo())


@NEEDS_SENTENCEPIECE
def test_a_tokenizer_of_another_vocabulary_is_refused(stored, tmp_path):
    tokens = Tokens("virtex")
    tokens.train_on(CAPTIONS, 60)
    stored()
    (tmp_path / "coco.model").write_bytes(tokens.model.numpy().tobytes())
    with pytest.raises(BadParameter, match="tokenizer of 50 tokens, got 60"):
        imrep.get(f"virtex:weights='{tmp_path / 'checkpoint_500000.pth'}',side=64")


def test_detectron2_reads_the_backbone(made, tmp_path):
    path = made.export_detectron2(tmp_path / "backbone.pth")
    content = torch.load(path, weights_only=True)
    assert content["matching_heuristics"] is True
    assert len(content["model"]) == len(made.visual.cnn.state_dict())
    assert torch.equal(content["model"]["stem.conv1.weight"], made.visual.cnn.conv1.weight)


def test_detectron2_has_no_small_networks(tmp_path):
    with pytest.raises(BadParameter, match="torchvision"):
        checkpoint.write_detectron2(VisualBackbone("resnet8"), tmp_path / "backbone.pth")
    with pytest.raises(BadParameter, match=r"\.pth"):
        checkpoint.write_detectron2(VisualBackbone("resnet8"), tmp_path / "backbone.pkl")
