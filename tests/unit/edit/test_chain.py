"""Chains: what they accept, in which order, and the images they read."""

import pytest
import torch

import imrep
from imrep import images
from imrep.edit.chain import Chain
from imrep.errors import BadParameter
from imrep.testing import photo


def test_a_chain_states_itself_in_full():
    chain = Chain("Stretch, unsharp:alpha=0.5, sigma=2")
    assert chain.spec == "stretch, unsharp:alpha=0.5,sigma=2.0"
    assert chain.slug == "stretch-unsharp" and not chain.packs and not chain.unpacks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("compress, blur", "blur needs an image, got a packed image from compress"),
        ("blur, decode", "decode needs a packed image, got an image from blur"),
    ],
)
def test_steps_have_to_fit_each_other(text, message):
    with pytest.raises(BadParameter, match=message):
        Chain(text)


def test_chains_that_pack_take_and_give_packed_images():
    packed = Chain("compress").apply(photo(batch=1))
    assert Chain("decode, blur").apply(packed).shape == photo(batch=1).shape
    with pytest.raises(BadParameter, match="decode needs a packed image, got an image"):
        Chain("decode").apply(photo())
    with pytest.raises(BadParameter, match="blur needs an image, got a packed image"):
        Chain("blur").apply(packed)


def test_nothing_is_rounded_between_steps():
    image = photo().double()
    expected = imrep.edit.blur(imrep.edit.stretch(image), sigma=1)
    torch.testing.assert_close(imrep.apply_edits(image, "stretch, blur:sigma=1"), expected)


def test_additional_images_are_read_once(tmp_path, monkeypatch):
    image = photo(batch=1)
    images.write(tmp_path / "b.png", image.flip(3))
    images.write(tmp_path / "m.png", torch.ones_like(image))
    chain = Chain(f"blend:with={tmp_path / 'b.png'},mask={tmp_path / 'm.png'},levels=0")
    assert set(chain.reads) == {str(tmp_path / "b.png"), str(tmp_path / "m.png")}
    reads = []
    monkeypatch.setattr(
        Chain, "original", lambda self, source: reads.append(source) or images.original(source)
    )
    first = chain.apply(image)
    torch.testing.assert_close(chain.apply(image), first)
    torch.testing.assert_close(first, image.flip(3), atol=0.51 / 255, rtol=0)
    assert len(reads) == 2


@pytest.mark.parametrize("chain", ["compress", "decode", "blur, compress"])
def test_packing_belongs_to_other_functions(chain):
    with pytest.raises(BadParameter, match=rf"images to images, got '{chain}'. Use imrep.pack"):
        imrep.apply_edits(photo(batch=1), chain)


def test_the_old_name_warns():
    from imrep.edit import chain

    with pytest.warns(FutureWarning, match="edited is called apply_edits now"):
        out = chain.edited(photo(batch=1), "blur:sigma=2")
    torch.testing.assert_close(out, imrep.edit.blur(photo(batch=1), sigma=2))


def test_a_batch_is_a_loop_and_a_chain_its_steps():
    image = photo(batch=3)
    chain = Chain("stretch, median, blur:sigma=1")
    out = chain.apply(image)
    for one, expected in zip(image, out, strict=True):
        torch.testing.assert_close(chain.apply(one[None])[0], expected)
    stepwise = image
    for step in chain.steps:
        stepwise = Chain(step.spec).apply(stepwise)
    torch.testing.assert_close(stepwise, out, rtol=0, atol=1e-6)
