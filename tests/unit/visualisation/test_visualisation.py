"""The methods of `picture`: one grammar, and what each of them refuses."""

import pytest
import torch

import imrep
from imrep.cli import picture as command
from imrep.errors import BadImage, BadParameter
from imrep.testing import photo
from imrep.visualisation import METHODS, PATCHES, picture

RESNET = "cnn:arch=test_resnet,weights=random,layer=1"


def test_the_command_line_offers_every_method():
    assert (*METHODS, PATCHES) == command._METHODS


@pytest.mark.parametrize("method", METHODS)
def test_every_method_draws_a_batch_as_its_images_and_touches_nothing(method):
    rep, image = imrep.get(RESNET), photo(48, 64)
    before = {name: value.clone() for name, value in rep.state_dict().items()}
    untouched = image.clone()
    both = imrep.picture(image, rep, method=method)
    assert both.shape[:2] == (2, 3) and both.isfinite().all() and not both.requires_grad
    assert both.min() >= 0 and both.max() <= 1
    # The default picture selects the maps that vary most over the batch.
    if method != "code":
        torch.testing.assert_close(both[1:], imrep.picture(image[1:], rep, method=method))
    assert torch.equal(image, untouched) and not image.requires_grad
    assert all(torch.equal(rep.state_dict()[name], value) for name, value in before.items())
    assert not any(module._forward_hooks for module in rep.modules())


@pytest.mark.parametrize("method", ["code", "gradient", "deconvnet", "guided-backpropagation"])
def test_a_channel_selects_a_map(method):
    rep, image = imrep.get(RESNET), photo(48, 64)
    first, second = (picture(rep, image, method, channel=i) for i in (0, 5))
    assert first.shape[2] == 48 and not torch.equal(first, second)
    with pytest.raises(BadParameter, match=r"cnn needs channel from 0 to .*, got 1000"):
        picture(rep, image, method, channel=1000)


def test_tokens_and_vectors_have_channels():
    head = "cnn:arch=test_resnet,weights=random,pooling=head"
    assert picture(imrep.get(head), photo(64, 64), "gradient", channel=3).shape == (2, 3, 64, 129)
    assert picture(imrep.get("histogram"), photo(32, 32), channel=3).shape == (2, 3, 32, 32)


@pytest.mark.parametrize(("spec", "options", "reason"), [
    ("hog", {"method": "deconv"}, r"method.*Did you mean 'deconvnet'\?"),
    ("hog", {"method": "patches"}, "needs a folder of images for method=patches"),
    (RESNET, {"method": "filters", "channel": 1}, "no channel for method=filters, got 1"),
    (RESNET, {"method": "grad-cam", "channel": 1}, "no channel for method=grad-cam"),
    (RESNET, {"method": "deconvnet", "label": "cat"}, "no label for method=deconvnet, got 'cat'"),
    ("hog", {"method": "grad-cam"}, "hog has no classifier, which grad-cam needs"),
    ("edge", {"method": "deconvnet"}, "whose gradient reaches the image, got edge"),
    ("laplacian", {"channel": 1}, "maps, tokens or a vector, got Pyramid of laplacian"),
    (f"{RESNET}/-1", {"method": "deconvnet"}, "got Views"),
    (f"{RESNET}/-1", {"method": "grad-cam"}, "one layer of maps for grad-cam, got layer=1/-1"),
    ("cnn:arch=test_resnet,weights=random,layer=penultimate", {"method": "grad-cam"}, "one layer"),
])  # fmt: skip
def test_what_a_method_cannot_draw_is_refused_with_the_way_out(spec, options, reason):
    method = options.pop("method", "code")
    with pytest.raises(BadParameter, match=reason):
        picture(imrep.get(spec), photo(64, 64), method, **options)


def test_images_are_checked_first():
    with pytest.raises(BadImage, match="picture needs a torch tensor"):
        picture(imrep.get("hog"), "cat.jpg")  # type: ignore[arg-type]
