"""IkshanaNet: what a glance sees, the author's layout of weights, its loss, its codes."""

import json
import os
import pickle
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import imrep
from imrep.errors import BadCode, BadData, BadImage, BadParameter, WeightsNeeded
from imrep.represent.learned.ikshana import Ikshana
from imrep.testing import photo

# Of the author's networks, for 20 classes and for 12.
_COUNTS = {
    "main": (4_007_112, 4_001_688), "3S-2G": (264_168, 260_280), "2S-3G": (261_808, 258_960),
    "1S-6G": (259_008, 257_472), "3G": (None, 514_584), "6G": (None, 1_775_160),
    "12G": (None, 6_535_800),
}  # fmt: skip
_REFERENCES = {"city_main": ("main", 20), "city_3S2G": ("3S-2G", 20), "camvid_3G": ("3G", 12)}


def random(variant="3S-2G", classes=20, **params):
    return Ikshana(variant=variant, weights="random", classes=classes, **params)


def fill(network):
    """The numbers that the references were made with: random, by each tensor's name."""
    for key, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        seed = zlib.crc32(key.encode())
        values = np.random.RandomState(seed).randn(*tensor.shape).astype(np.float32)
        if values.ndim == 4:
            values *= np.sqrt(2 / np.prod(values.shape[1:]))
        elif key.endswith("running_var"):
            values = 1 + 0.1 * np.abs(values)
        elif key.endswith("weight"):
            values = 1 + 0.1 * values
        else:
            values *= 0.1
        tensor.copy_(torch.from_numpy(values))
    return network


@pytest.mark.parametrize("variant", _COUNTS)
def test_variants_have_the_authors_number_of_parameters(variant):
    for classes, count in zip((20, 12), _COUNTS[variant], strict=True):
        network = random(variant, classes).network
        assert count in (None, sum(p.numel() for p in network.parameters()))


@pytest.mark.parametrize("name", _REFERENCES)
def test_scores_are_those_of_the_authors_network(name, refs):
    path = refs / "learned" / "ikshana_three"
    layouts = json.loads(path.with_suffix(".json").read_text())
    with np.load(path.with_suffix(".npz")) as arrays:
        expected = torch.from_numpy(arrays[f"{name}__crc_logits"])
    network = fill(random(*_REFERENCES[name]).network)
    shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
    assert shapes == layouts[name].get("keys", shapes)
    assert sum(p.numel() for p in network.parameters()) == layouts[name]["params"]
    image = np.random.RandomState(0).randn(1, 3, 48, 64).astype(np.float32)
    with torch.no_grad():
        scores = network(torch.from_numpy(image))
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("variant", ["main", "3S-2G", "1S-6G"])
@given(height=st.integers(4, 21), width=st.integers(4, 21))
@settings(max_examples=4)
def test_every_scale_is_half_as_large_and_every_size_is_segmented(variant, height, width):
    net = random(variant, 5)
    code = net.encode(photo(height, width))
    scales, glances = net._layout[:2]
    shapes = [tuple(part.values.shape) for part in code.codes]
    assert shapes == [
        (2, 32, height // 2**s, width // 2**s) for s in range(scales) for _ in range(glances)
    ]
    assert net.segment(photo(height, width)).shape == (2, 5, height, width)
    assert net.embed(photo(height, width)).shape == (2, scales * glances * 32 * 4) == (2, net.dim)


def test_a_glance_looks_further_than_those_before_it():
    """Dilations of 1, 2 and 3: three convolutions reach 3, 6 and 9 pixels beyond what they read."""
    net, image = random("1S-6G"), photo(120, 120, batch=1)
    changed = image.clone()
    changed[..., 60, 60] = 1 - changed[..., 60, 60]
    before, after = (net.encode(x).codes for x in (image, changed))
    reaches = []
    for first, second in zip(before, after, strict=True):
        rows = (first.values - second.values).abs().amax((0, 1)).nonzero()[:, 0]
        reaches.append(int((rows - 60).abs().max()))
    assert all(a <= b for a, b in zip(reaches, (3, 9, 18, 21, 27, 36), strict=True))
    assert reaches[0] == 3 and reaches[1] > 3 and reaches[2] > 9 and reaches[4] > 21


def test_a_glance_does_not_depend_on_later_ones():
    net, image = random(), photo(24, 20)
    before = net.encode(image)
    with torch.no_grad():
        net.network.glance21.conv_main[0].weight.mul_(-3)
    same = [
        torch.equal(a.values, b.values)
        for a, b in zip(before.codes, net.encode(image).codes, strict=True)
    ]
    assert same == [True, True, False, False, False, False]


def test_a_shift_by_the_coarsest_pixel_shifts_the_glances():
    net, image = random(), photo(160, 160, batch=1)
    code, moved = (net.encode(x) for x in (image, image[..., 4:, 8:]))
    for i, (part, shifted) in enumerate(zip(code.codes, moved.codes, strict=True)):
        scale = 2 ** (i // 2)
        down, right, border = 4 // scale, 8 // scale, 72 // scale  # beyond all that a map sees
        expected = part.values[..., down + border :, right + border :][..., :-border, :-border]
        inner = shifted.values[..., border:, border:][..., :-border, :-border]
        assert inner.numel()
        torch.testing.assert_close(inner, expected, rtol=1e-4, atol=1e-5)


def test_the_network_reads_blue_green_and_red():
    colour = torch.tensor([1.0, 0.5, 0.0])[None, :, None, None].expand(1, 3, 8, 8)
    x = random()._normalised(colour)[0, :, 0, 0]
    torch.testing.assert_close(
        x, torch.tensor([-0.485 / 0.229, (0.5 - 0.456) / 0.224, 0.594 / 0.225])
    )


@pytest.mark.parametrize("variant", ["main", "2S-3G", "1S-6G", "3G"])
def test_a_file_of_the_author_determines_the_network(tmp_path, variant):
    torch.manual_seed(1)
    network = fill(random(variant, 7).network)
    state, file = network.state_dict(), tmp_path / "IkshanaNet.pt"
    torch.save({f"module.{key}": value for key, value in state.items()}, file)
    net, image = Ikshana(weights=str(file)), photo(32, 24)
    assert (net.classes, net._layout) == (7, random(variant)._layout)
    with torch.no_grad():
        torch.testing.assert_close(net.segment(image), network(net._normalised(image)))
    assert imrep.get(net.spec).fingerprint == net.fingerprint
    net.save(tmp_path / "model")
    for again in (imrep.load(tmp_path / "model"), Ikshana(weights=str(tmp_path / "model"))):
        assert again.fingerprint == net.fingerprint
        torch.testing.assert_close(again.embed(image), net.embed(image))


def test_weights_that_do_not_fit_are_refused(tmp_path):
    state = random().network.state_dict()
    save_file(state, tmp_path / "net.safetensors")
    file = str(tmp_path / "net.safetensors")
    with pytest.raises(BadParameter, match=r"needs variant=3S-2G for the weights in .*, got 2S-3G"):
        Ikshana(weights=file, variant="2S-3G")
    with pytest.raises(BadParameter, match=r"needs classes=20 for the weights in .*, got 12"):
        Ikshana(weights=file, classes=12)
    del state["glance12.conv_main.0.weight"]
    save_file(state, file)
    with pytest.raises(BadParameter, match=r"'glance12.conv_main.0.weight' is missing"):
        Ikshana(weights=file)
    save_file({"fc.weight": torch.ones(2, 2)}, file)
    with pytest.raises(BadParameter, match="ikshana needs weights of IkshanaNet, got others"):
        Ikshana(weights=file)
    with pytest.raises(WeightsNeeded, match="none come with imrep"):
        Ikshana()


def test_a_pickle_that_would_run_a_command_is_refused(tmp_path):
    class Command:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    (tmp_path / "net.pt").write_bytes(pickle.dumps({"conv11.0.weight": Command()}, 2))
    with pytest.raises(BadParameter, match=r"ikshana cannot read weights from net\.pt: it holds"):
        Ikshana(weights=str(tmp_path / "net.pt"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("variant", ["0S-2G", "3S", "G", "3S-2G ", "10S-1G", "Main"])
def test_unknown_variants_are_refused(variant):
    with pytest.raises(BadParameter, match="ikshana needs variant to be main, kS-nG or nG"):
        random(variant)


def test_images_smaller_than_the_scales_are_refused():
    with pytest.raises(BadImage, match="ikshana needs images of at least 4×4, got 3×9"):
        random().encode(photo(3, 9))
    assert random("1S-6G").encode(photo(1, 1)).codes[0].values.shape == (2, 32, 1, 1)


def test_codes_of_another_variant_are_refused():
    with pytest.raises(BadCode, match="ikshana needs 6 maps, got 9"):
        random().pool(random("3G").encode(photo()))


def scene(count, side=32):
    """Images with a bright square, and masks that mark it; their border is not labelled."""
    generator = torch.Generator().manual_seed(count)
    image = 0.3 * torch.rand(count, 3, side, side, generator=generator)
    mask = torch.zeros(count, side, side, dtype=torch.long)
    for i in range(count):
        y, x = torch.randint(side // 2, (2,), generator=generator).tolist()
        image[i, :, y : y + 12, x : x + 12] += 0.6
        mask[i, y : y + 12, x : x + 12] = 1
    mask[:, 0] = -1
    return {"image": image, "mask": mask}


@pytest.mark.parametrize("params", [{}, {"class_weights": "median"}])
def test_training_learns_a_square(params):
    torch.manual_seed(0)
    net = random("2S-2G", 2, **params).train()
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for step in range(20):
        optimiser.zero_grad()
        net.loss(scene(4 + step % 2)).backward()
        optimiser.step()
    held_out = scene(6)
    with torch.no_grad():
        classes = net.eval().segment(held_out["image"]).argmax(1)
    labelled = held_out["mask"] >= 0
    assert (classes == held_out["mask"])[labelled].float().mean() > 0.9


def test_a_code_is_the_same_in_training_mode_and_after_a_loss():
    net, batch = random("2S-3G", 2), scene(3)
    net.train().loss(batch)
    before = net.encode(batch["image"]).codes[-1].values
    alone = net.encode(batch["image"][:1]).codes[-1].values
    torch.testing.assert_close(before[:1], alone)
    assert not net.eval().loss(batch).requires_grad


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (None, r"needs a mask of each image to be trained, \(3, 32, 32\), got none"),
        (torch.zeros(3, 16, 32, dtype=torch.long), r"got \(3, 16, 32\)"),
        (torch.full((3, 32, 32), 2), "needs classes from 0 to 1, got 2 to 2. Set classes=3"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, message):
    batch = {"image": scene(3)["image"]} | ({} if mask is None else {"mask": mask})
    with pytest.raises(BadData, match=message):
        random("2S-3G", 2).loss(batch)
