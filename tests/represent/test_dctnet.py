"""A network that reads frequencies: from pixels and bytes alike, static or selected by a gate."""

import copy
import importlib.util
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch.testing import assert_close

import imrep
from imrep import _native, testing
from imrep.errors import BadCode, BadData, BadFile, BadParameter, NotFitted, WeightsNeeded
from imrep.testing import photo

TINY = "dctnet:arch=test_resnet"
RANDOM = f"{TINY},weights=random,classes=4"
needs_native = pytest.mark.skipif(not _native.built("jpeg"), reason=_native.state("jpeg"))


def file(height=96, width=128, mode="RGB", **options):
    """A part of a photograph as JPEG, of low contrast, so that decoders clip nothing."""
    out = io.BytesIO()
    levels = 60 + 0.5 * data.astronaut()[:height, 150 : 150 + width]
    pixels = Image.fromarray(levels.astype(np.uint8)).convert(mode)
    pixels.save(out, "jpeg", **{"quality": 95, "subsampling": 0} | options)
    return out.getvalue()


def two_classes(count=32, side=32):
    """Noisy stripes, up and down or across."""
    stripes = (torch.arange(side) % 8 < 4).float()
    images = torch.stack([stripes.expand(side, side), stripes[:, None].expand(side, side)])
    labels = torch.arange(count) % 2
    noisy = images[labels][:, None] * 0.4 + 0.6 * torch.rand(count, 1, side, side)
    return noisy.expand(-1, 3, -1, -1).contiguous(), labels


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    rep = imrep.get(f"{TINY},epochs=20,gate=true,lam=0.02")
    rep.fit(*two_classes())
    return rep


def test_images_of_twice_the_side_have_the_maps_of_the_network_of_pixels():
    own = imrep.get("dctnet:arch=resnet18,weights=random").encode(photo(128, 192, batch=1))
    pixels = imrep.get("cnn:arch=resnet18,weights=random").encode(photo(64, 96, batch=1))
    assert own.values.shape == pixels.values.shape == (1, 512, 2, 3)


def test_a_shift_by_a_block_shifts_the_first_stage():
    rep = imrep.get(f"{RANDOM},layer=0")
    image = photo(64, 96, batch=1)
    shifted = image.roll(8, 3)
    before, after = rep.encode(image).values, rep.encode(shifted).values
    assert_close(after[..., 3:-2], before[..., 2:-3], rtol=1e-3, atol=1e-3)


@needs_native
@pytest.mark.parametrize("spec", [RANDOM, f"{RANDOM},gate=true", f"{RANDOM},stride=1"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}, {"mode": "L"}])
def test_a_jpegs_code_is_that_of_its_pixels(spec, options):
    rep, source = imrep.get(spec), file(**options)
    own, shown = rep.encode_jpeg(source), rep.encode(imrep.read(source))
    assert own.size == shown.size == (96, 128)
    assert (own.values - shown.values).norm() < 0.06 * shown.values.norm()
    assert_close(rep.embed_jpeg(source), rep.pool(own))


@needs_native
def test_a_file_is_read_as_bytes_are(tmp_path):
    rep, source = imrep.get(RANDOM), file()
    (tmp_path / "a.jpg").write_bytes(source)
    assert_close(rep.encode_jpeg(tmp_path / "a.jpg").values, rep.encode_jpeg(source).values)


@needs_native
def test_what_has_no_such_coefficients_is_refused_by_name(tmp_path):
    rep = imrep.get(RANDOM)
    with pytest.raises(BadFile, match=r"needs gray, YCbCr or RGB planes for dctnet, got 4 planes"):
        rep.encode_jpeg(file(mode="CMYK"))
    with pytest.raises(BadFile, match="needs to be complete for dctnet"):
        rep.encode_jpeg(file()[:2000])
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "png")
    with pytest.raises(BadFile, match="needs to be a JPEG"):
        rep.encode_jpeg(out.getvalue())
    with pytest.raises(BadParameter, match=r"needs a JPEG of 64×64 .* got 96×128"):
        imrep.get(f"{RANDOM},side=64").encode_jpeg(file())
    assert imrep.get(f"{RANDOM},side=64").encode_jpeg(file(64, 64)).size == (64, 64)


def test_static_channels_are_all_selected():
    assert imrep.get(f"{RANDOM},channels=6").selected() == (0, 1, 8, 9, 64, 128)
    assert len(imrep.get(RANDOM).selected()) == 24
    assert imrep.get(f"{RANDOM},channels=192").selected() == tuple(range(192))


def test_a_gate_selects_what_it_left_on(trained):
    trained = copy.deepcopy(trained)
    assert set(trained.selected()) <= set(imrep.get(RANDOM).selected())
    assert trained.shares().shape == (24,) and trained.shares().min() >= 0
    with torch.no_grad():
        trained.gating.opened[3] = 0.49
    assert 3 not in trained.selected()
    assert trained.heat_maps().shape == imrep.get(RANDOM).heat_maps().shape
    code = trained.encode(photo(64, 64))
    assert trained.picture(code).shape[2] > imrep.get(RANDOM).picture(code).shape[2]


def test_channels_that_are_off_do_not_matter():
    rep = imrep.get(f"{RANDOM},gate=true")
    with torch.no_grad():
        rep.gating.logits.bias.view(-1, 2)[16:] = torch.tensor([9.0, 0.0])  # of chroma
    gray, colourful = photo(32, 32, channels=1), photo(32, 32)
    luma = 0.299 * colourful[:, :1] + 0.587 * colourful[:, 1:2] + 0.114 * colourful[:, 2:]
    with torch.no_grad():  # the gate reads chroma, too: only its decision is blind to it
        rep.gating.squeeze.weight[:, 16:] = 0
    assert_close(rep.embed(colourful), rep.embed(luma), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(rep.embed(gray), rep.embed(luma))


def test_the_price_of_a_channel_is_lam():
    images, labels = two_classes(8)
    losses = []
    for lam in (0.0, 0.5):
        rep = imrep.get(f"{RANDOM},gate=true,lam={lam}")
        losses.append(float(rep.loss({"image": images, "label": labels}).detach()))
    assert abs(losses[1] - losses[0] - 0.5 * 24) < 1e-4  # all are on


def test_training_learns_and_is_the_same_at_each_call(trained):
    torch.manual_seed(0)
    again = imrep.get(f"{TINY},epochs=20,gate=true,lam=0.02")
    images, labels = two_classes()
    before = torch.random.get_rng_state()
    again.fit(images, labels)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (again.logits(images).argmax(1) == labels).float().mean() > 0.9
    assert_close(again.embed(images), trained.embed(images), rtol=1e-3, atol=1e-3)
    assert again.canvas == 32 and again.classes == 2 and not again.needs_fit


def test_the_loss_is_random_in_training_alone():
    rep, (images, labels) = imrep.get(f"{RANDOM},gate=true,lam=1"), two_classes(8)
    batch = {"image": images, "label": labels}
    rep.train()
    torch.manual_seed(0)
    first, second = (float(rep.loss(batch).detach()) for _ in range(2))
    torch.manual_seed(0)
    assert first != second and float(rep.loss(batch).detach()) == pytest.approx(first, rel=0.01)
    rep.eval()
    assert float(rep.loss(batch).detach()) == float(rep.loss(batch).detach())


def test_images_without_a_class_do_not_count():
    rep, (images, labels) = imrep.get(RANDOM), two_classes(8)
    some = rep.loss({"image": images, "label": torch.where(labels == 0, 0, -1)})
    assert_close(some, rep.loss({"image": images[::2], "label": labels[::2]}))
    assert float(rep.loss({"image": images, "label": labels * 0 - 1}).detach()) == 0
    with pytest.raises(BadData, match="dctnet needs classes from 0 to 3, got 4 to 4"):
        rep.loss({"image": images, "label": labels * 0 + 4})
    with pytest.raises(BadData, match="dctnet needs a class of each image"):
        rep.loss({"image": images})


def test_untrained_it_says_what_to_do():
    rep = imrep.get(TINY)
    assert rep.needs_fit and rep.encode(photo()).values.shape[1] == 96
    with pytest.raises(NotFitted, match=r"dctnet needs labelled images .* fit\(images, labels\)"):
        rep.embed(photo())


def test_weights_come_from_a_folder(trained, tmp_path):
    trained.save(tmp_path / "w")
    images = photo(40, 40)
    for rep in (imrep.get(f"dctnet:weights='{tmp_path}/w'"), imrep.load(tmp_path / "w")):
        assert_close(rep.embed(images), trained.embed(images))
        assert rep.fingerprint == trained.fingerprint and not rep.needs_fit
        assert (rep.arch, rep.gate, rep.canvas) == ("test_resnet", True, 32)
        assert rep.selected() == trained.selected()
    with pytest.raises(BadParameter, match="needs channels=24, of its weights, got 64"):
        imrep.get(f"dctnet:channels=64,weights='{tmp_path}/w'")
    with pytest.raises(BadParameter, match="needs weights=none or published to be trained"):
        imrep.get(f"dctnet:weights='{tmp_path}/w'").fit(images, torch.tensor([0, 1]))
    with pytest.raises(WeightsNeeded, match="no folder"):
        imrep.get("dctnet:weights=/nowhere/at/all")


@pytest.mark.no_shapes
@pytest.mark.parametrize("spec", [f"{TINY},epochs=1,gate=true,channels=6", f"{TINY},epochs=1"])
def test_the_contract_where_it_is_trained(spec):
    left_out = ("compiles", "extreme", "codes_that", "lists")  # as for random weights; slow
    for question in testing.questions(spec):
        if not question.__name__.startswith(left_out):
            question()


@pytest.mark.parametrize(
    ("key", "value"),
    [("channels", 25), ("stride", 3), ("chroma", "half"), ("lam", -1.0), ("temperature", 0.0),
     ("classes", 0), ("epochs", 0), ("side", 0), ("layer", 4), ("arch", "vgg11")],
)  # fmt: skip
def test_bad_parameters_are_refused(key, value):
    with pytest.raises(BadParameter, match=f"dctnet needs .*{key}|dctnet needs {key}"):
        imrep.get("dctnet", **{"arch": "test_resnet", "weights": "random"} | {key: value})


def test_maps_of_other_networks_are_refused():
    rep = imrep.get(RANDOM)
    code = imrep.get(f"{RANDOM},layer=0").encode(photo())
    with pytest.raises(BadCode, match="dctnet needs a map of 96 channels"):
        rep.pool(code)


def test_files_are_read_as_they_are_stored_only_at_their_own_size():
    own, squares = (
        SimpleNamespace(items=(), annotations=None, pixels=SimpleNamespace(side=side, read=None))
        for side in (None, 64)
    )
    assert imrep.get(RANDOM).training_examples(own).frequencies.count == 24
    assert imrep.get(RANDOM).training_examples(squares) is None
    assert imrep.get(f"{RANDOM},side=64").training_examples(own) is None


def test_held_out_images_are_measured_from_pixels_and_coefficients_alike(trained):
    images, labels = two_classes(16)
    coefficients = trained.frequencies.of_pixels(images)
    accuracy = float((trained.logits(images).argmax(1) == labels).float().mean())
    for batch in ({"image": images}, {"coefficients": coefficients}):
        numbers = trained.evaluate(iter([{**batch, "label": labels}])).numbers
        assert numbers == {"accuracy": accuracy, "selected channels": len(trained.selected())}
    without = {"image": images, "label": torch.where(labels == 0, 1, -1)}
    assert trained.evaluate(iter([without])).numbers["accuracy"] <= 2 * (1 - accuracy)
    both = [trained.loss({**b, "label": labels}) for b in ({"image": images},
            {"coefficients": coefficients})]  # fmt: skip
    assert_close(*both)


def test_the_card_says_that_files_are_read_as_they_are():
    assert {name for name in imrep.names() if imrep.card(name).reads == "jpeg"} == {"dct", "dctnet"}
    assert all(hasattr(imrep.get(name), "embed_jpeg") for name in ("dct", RANDOM))


@pytest.mark.slow
@pytest.mark.parametrize("index", [10, 64 + 1])  # of luma, of blue-difference chroma
def test_the_gate_selects_the_one_frequency_that_holds_the_labels(index):
    """benchmarks/dctnet.py has more positions."""
    path = Path(__file__).parents[2] / "benchmarks" / "dctnet_gate.py"
    spec = importlib.util.spec_from_file_location("dctnet_gate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rep = module.train(index)
    assert rep.selected() == (index,)
    assert module.accuracy(rep, index) > 0.95
