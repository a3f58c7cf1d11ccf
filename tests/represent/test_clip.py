"""CLIP: the official outputs from every form of weights, one space, texts as people write them."""

import json
import os
from importlib.util import find_spec

import clip_checkpoints
import pytest
import torch
from clip_checkpoints import HEADS, PlainSigLIP, folder_of
from safetensors.torch import save_file

import imrep
from imrep.errors import BadCode, BadParameter, WeightsNeeded
from imrep.represent.language.clip import text_pooling
from imrep.testing import photo

pytestmark = pytest.mark.skipif(  # importing it while tests are collected would take seconds
    find_spec("open_clip") is None, reason="needs the extra clip: pip install 'imrep[clip]'"
)

TINY = "clip:arch=tiny,weights=random"


@pytest.fixture
def official(refs):
    return torch.load(refs / "learned" / "clip_tiny_quickgelu.pt", weights_only=True)


@pytest.fixture(scope="module")
def tiny():
    return imrep.get(TINY)


def features(clip, image, ids):
    """Of images that are normalised already, and of tokens."""
    with torch.no_grad():
        texts = text_pooling.pooled(clip.network, text_pooling.trimmed(clip.network, ids), "end")
        return clip.network.visual(image), texts


def assert_same(clip, network, size=32):
    """Whether a representation gives the vectors of a model of open_clip."""
    image = torch.rand(2, 3, size, size)
    ids = torch.randint(1, 98, (2, 12))
    ids[:, 8], ids[:, 9:] = 99, 0
    with torch.no_grad():
        expected = network.encode_image(image), network.encode_text(ids)
    for own, other in zip(features(clip, image, ids), expected, strict=True):
        torch.testing.assert_close(own, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("wrapped", [False, True])
def test_features_are_the_official_ones(official, tmp_path, wrapped):
    state = official["state_dict"]
    if wrapped:  # as open_clip's trainer saves it
        state = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    torch.save(state, tmp_path / "clip.pt")
    clip = imrep.get(f"clip:weights='{tmp_path}/clip.pt',quickgelu=true,{HEADS}")
    images, texts = features(clip, official["image"], official["text"])
    torch.testing.assert_close(images, official["image_features"], atol=1e-4, rtol=0)
    torch.testing.assert_close(texts, official["text_features"], atol=1e-4, rtol=0)
    unit = torch.nn.functional.normalize
    logits = clip.network.logit_scale.exp() * unit(images) @ unit(texts).mT
    torch.testing.assert_close(logits, official["logits_per_image"], atol=1e-4, rtol=0)


def test_transformers_folder_gives_the_official_ones(official, refs, tmp_path):
    state, config = clip_checkpoints.hugging_face(official["state_dict"], 4)
    stored = json.loads((refs / "learned" / "clip.json").read_text())["hf_keys"]
    assert {key: list(value.shape) for key, value in state.items()} == stored
    clip = imrep.get(f"clip:weights='{folder_of(tmp_path / 'hf', state, config)}'")
    images, texts = features(clip, official["image"], official["text"])
    torch.testing.assert_close(images, official["image_features"], atol=1e-4, rtol=0)
    torch.testing.assert_close(texts, official["text_features"], atol=1e-4, rtol=0)


def test_openais_archive_says_its_activation(tmp_path):
    network = clip_checkpoints.model()
    path = clip_checkpoints.openai_archive(network, tmp_path / "ViT.pt")
    clip = imrep.get(f"clip:weights='{path}',{HEADS}")
    assert clip.describe()["activation"] == "QuickGELU"
    image, ids = torch.rand(1, 3, 32, 32), torch.randint(1, 99, (1, 12))
    expected = network.half().float()  # the archive is in half precision
    with torch.no_grad():
        torch.testing.assert_close(features(clip, image, ids)[0], expected.encode_image(image))


def test_a_folder_of_open_clip_says_all(tmp_path):
    network = clip_checkpoints.model()
    names = "open_clip_model.safetensors", "open_clip_config.json"
    images = {"mean": [0.1, 0.2, 0.3], "std": [0.5] * 3, "interpolation": "bilinear"}
    config = {"model_cfg": clip_checkpoints.SIZES, "preprocess_cfg": images}
    folder = folder_of(tmp_path / "oc", network.state_dict(), config, *names)
    clip = imrep.get(f"clip:weights='{folder}'")
    assert_same(clip, network)
    assert clip.configuration.mean == (0.1, 0.2, 0.3) and clip.resampling == "bilinear"


def test_a_modified_resnet_is_read_off_its_shapes(tmp_path):
    network = clip_checkpoints.resnet((1, 2, 1, 1))
    save_file(network.state_dict(), tmp_path / "rn.safetensors")
    spec = f"clip:weights='{tmp_path}/rn.safetensors',quickgelu=true,text_heads=4"
    clip = imrep.get(spec)
    assert clip.canvas == 64 and clip.configuration.sizes["vision_cfg"]["layers"] == [1, 2, 1, 1]
    assert_same(clip, network, 64)
    code = clip.encode(photo(64, 64))
    torch.testing.assert_close(code.summary, network.encode_image(clip._normalised(photo(64, 64))))
    assert code.grid == (2, 2)


def test_a_modified_resnet_has_the_official_names(refs):
    stored = json.loads((refs / "learned" / "clip.json").read_text())["modified_resnet_keys"]
    own = clip_checkpoints.resnet().visual.state_dict()
    assert {key: list(value.shape) for key, value in own.items()} == stored


def test_siglip_of_transformers_is_that_of_its_names(tmp_path):
    state, config = clip_checkpoints.siglip()
    clip = imrep.get(f"clip:weights='{folder_of(tmp_path / 'siglip', state, config)}'")
    plain = PlainSigLIP(state)
    image, ids = torch.rand(2, 3, 16, 16), torch.randint(0, 60, (3, 9))
    images, texts = features(clip, image, ids)
    torch.testing.assert_close(images, plain.image(image), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(texts, plain.text(ids), atol=1e-4, rtol=1e-4)
    assert clip.configuration.mean == (0.5, 0.5, 0.5) and float(clip.network.logit_bias) == -10
    with pytest.raises(WeightsNeeded, match=r"tokenizer\.json .* 60 tokens"):
        clip.embed_text(["a cat"])


def test_an_activation_that_nobody_says_is_refused(tmp_path):
    save_file(clip_checkpoints.model().state_dict(), tmp_path / "a.safetensors")
    spec = f"clip:weights='{tmp_path}/a.safetensors',{HEADS}"
    with pytest.raises(BadParameter, match="needs quickgelu=true or quickgelu=false"):
        imrep.get(spec)
    quick, exact = (imrep.get(f"{spec},quickgelu={value}") for value in ("true", "false"))
    image = photo(32, 32)
    assert (quick.embed(image) - exact.embed(image)).abs().max() > 1e-3
    assert quick.fingerprint != exact.fingerprint
    quick.save(tmp_path / "saved")
    for again in (imrep.load(tmp_path / "saved"), imrep.get(f"clip:weights='{tmp_path}/saved'")):
        assert torch.equal(again.embed(image), quick.embed(image))
        assert again.fingerprint == quick.fingerprint
        assert again.describe() == quick.describe()


def test_heads_change_the_vectors(tmp_path):
    save_file(clip_checkpoints.model().state_dict(), tmp_path / "a.safetensors")
    spec = f"clip:weights='{tmp_path}/a.safetensors',quickgelu=true"
    default, stated = imrep.get(spec), imrep.get(f"{spec},{HEADS}")
    assert (default.embed(photo(32, 32)) - stated.embed(photo(32, 32))).abs().max() > 1e-3
    assert default.fingerprint != stated.fingerprint


class Hostile:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("content", [Hostile(), {"state_dict": {"visual.proj": Hostile()}}])
def test_no_pickle_code_runs(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    torch.save(content, "clip.pt")
    with pytest.raises(BadParameter, match=r"holds \w+\.system, not tensors alone"):
        imrep.get("clip:weights=clip.pt,quickgelu=true")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"foo": torch.zeros(3)}, "needs weights of an image tower and a text tower"),
        ("half", "'ln_final.bias' is missing"),
        ("infinite", "holds NaN or infinity"),
    ],
)
def test_other_weights_are_refused(tmp_path, state, message):
    own = clip_checkpoints.model().state_dict()
    if state == "half":
        del own["ln_final.bias"]
    elif state == "infinite":
        own["ln_final.bias"] = torch.full_like(own["ln_final.bias"], torch.inf)
    torch.save(own if isinstance(state, str) else state, tmp_path / "a.pt")
    with pytest.raises(BadParameter, match=message):
        imrep.get(f"clip:weights='{tmp_path}/a.pt',quickgelu=true,{HEADS}")


@pytest.mark.parametrize("name", ["clip", "siglip", "siglip2", "mobileclip", "clip:arch=RN50"])
def test_absent_weights_are_one_line(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsNeeded, match=r"^clip needs the published weights .*--download") as e:
        imrep.get(name)
    assert "\n" not in str(e.value)


def test_published_weights_come_from_the_cache(monkeypatch, tmp_path):
    import open_clip
    from huggingface_hub import constants

    tag = {"hf_hub": "owner/small/", "quick_gelu": True, "mean": (0.4,) * 3, "std": (0.2,) * 3}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "ViT-small", {"laion": tag})
    sizes = {k: v for k, v in clip_checkpoints.SIZES.items() if k != "quick_gelu"}
    monkeypatch.setattr(open_clip, "get_model_config", lambda name: sizes)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    network, repository = clip_checkpoints.model(), tmp_path / "models--owner--small"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123")
    (repository / "snapshots").mkdir()
    name = "open_clip_model.safetensors"
    folder_of(repository / "snapshots" / "0123", network.state_dict(), {}, name)
    for weights in ("published", "laion"):
        clip = imrep.get(f"clip:arch=ViT-small,weights={weights}")
        assert_same(clip, network)
        assert clip.configuration.mean == (0.4, 0.4, 0.4)
    with pytest.raises(WeightsNeeded, match="'loin' is no folder"):
        imrep.get("clip:arch=ViT-small,weights=loin")


def test_unknown_models_offer_the_nearest():
    with pytest.raises(BadParameter, match="Did you mean 'ViT-B-32'"):
        imrep.get("clip:arch=ViT-B32,weights=random")
    with pytest.raises(BadParameter, match="cannot build coca_ViT-B-32: it has a decoder"):
        imrep.get("clip:arch=coca_ViT-B-32,weights=random")


def test_vectors_have_length_one_and_the_code_is_that_of_open_clip(tiny):
    image = photo(48, 80)
    code = tiny.encode(image)
    expected = tiny.network.encode_image(tiny._normalised(image))
    torch.testing.assert_close(code.summary, expected)
    torch.testing.assert_close(tiny.embed(image).norm(dim=1), torch.ones(len(image)))
    texts = tiny.embed_text(["a cat", "two dogs in a park"])
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(2))
    with pytest.raises(BadCode, match="Encode the image anew"):
        tiny.pool(imrep.codes.Tokens(code.summary[:, :3], code.patches, code.grid))


def test_a_text_depends_on_no_other(tiny):
    texts = ["a cat", "a very long caption of a dog that runs across a meadow", "b", "a cat"]
    together = tiny.embed_text(texts)
    alone = torch.cat([tiny.embed_text([text]) for text in texts])
    torch.testing.assert_close(together, alone)
    with torch.no_grad():  # positions behind the end have no effect
        complete = tiny.network.encode_text(tiny.tokenizer.ids(texts, "test"), normalize=True)
    torch.testing.assert_close(together, complete)


@pytest.mark.parametrize("pooling", ["mean", "max", "self-attentive"])
def test_poolings_read_the_tokens_up_to_the_end(pooling, tmp_path):
    clip = imrep.get(f"{TINY},pooling={pooling}")
    ids = clip.tokenizer.ids(["a red apple", "a dog"], "test")
    tokens = clip.network.ln_final  # the pooled values below are of these
    seen = []
    handle = tokens.register_forward_hook(lambda _m, _i, output: seen.append(output))
    vectors = clip._text_vectors(ids)
    handle.remove()
    for row, count in enumerate((5, 4)):
        own = seen[0][row : row + 1, :count]
        pooled = {"mean": own.mean(1), "max": own.amax(1)}.get(pooling)
        if pooled is None:
            pooled = clip.text_pooling(own, torch.ones(1, count, dtype=torch.bool))
        expected = torch.nn.functional.normalize(pooled @ clip.network.text_projection)
        torch.testing.assert_close(vectors[row : row + 1], expected)
    clip.save(tmp_path / "saved")
    again = imrep.get(f"clip:weights='{tmp_path}/saved'")
    assert again.pooling == pooling
    assert torch.equal(again.embed_text(["a dog"]), clip.embed_text(["a dog"]))


@pytest.mark.parametrize("arch", ["tiny", "small"])
def test_relevance_is_a_map_of_the_words(arch):
    clip = imrep.get(f"clip:arch={arch},weights=random,words=a red apple")
    image = photo(40, 60)
    with torch.inference_mode():
        picture = clip.picture(clip.encode(image), image)
    assert picture.shape == (len(image), 3, 160, 240)
    other = imrep.get(f"clip:arch={arch},weights=random,words=the sea")
    assert (picture - other.picture(other.encode(image), image)).abs().max() > 1e-3
    assert clip.fingerprint == other.fingerprint


def test_cosines_are_scaled_as_the_weights_have_learned(tiny):
    assert tiny.similarity_scale == pytest.approx(float(tiny.network.logit_scale.exp()))


def test_half_precision_changes_vectors_little_and_is_in_the_fingerprint():
    full = imrep.get("clip:arch=tiny,weights=random")
    half = imrep.get("clip:arch=tiny,weights=random", precision="bfloat16")
    image = torch.rand(4, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    vectors, near = full.embed(image), half.embed(image)
    assert near.dtype == torch.float32 and not torch.equal(vectors, near)
    assert torch.nn.functional.cosine_similarity(vectors, near).min() > 0.9995
    torch.testing.assert_close(half.pool(half.encode(image)), near, atol=2e-2, rtol=0)
    assert half.fingerprint != full.fingerprint
    half.train()
    assert torch.equal(
        half.embed(image), full.train().embed(image)
    )  # what is trained is in float32
