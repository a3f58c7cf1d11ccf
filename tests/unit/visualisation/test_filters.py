"""First-layer filters: the network's own weights beside what they give."""

import pytest
import torch
import torch.nn.functional as F

import imrep
from imrep.errors import BadParameter
from imrep.testing import photo
from imrep.visualisation.filters import first_filters, picture

RESNET = "cnn:arch=test_resnet,weights=random"


def test_they_are_the_weights_of_the_first_convolution_and_its_response():
    rep, image = imrep.get(RESNET), photo(40, 48)
    weights, response = first_filters(rep, image)
    conv = next(m for m in rep.modules() if isinstance(m, torch.nn.Conv2d))
    assert torch.equal(weights, conv.weight)
    wanted = F.conv2d(rep.normalised(image), conv.weight, conv.bias, conv.stride, conv.padding)
    torch.testing.assert_close(response, wanted)


@pytest.mark.parametrize("spec", [RESNET, "cnn:arch=lenet5,weights=random"])
def test_the_picture_is_that_of_each_image(spec):
    rep, image = imrep.get(spec), photo(32, 32)
    both = picture(rep, image)
    assert both.shape[:2] == (2, 3) and both.min() >= 0 and both.max() <= 1
    torch.testing.assert_close(both[1:], picture(rep, image[1:]))


@pytest.mark.parametrize("spec", ["hog", "pixels"])
def test_what_does_not_convolve_first_is_refused(spec):
    with pytest.raises(BadParameter, match=r"first layer is a convolution.*got"):
        picture(imrep.get(spec), photo(32, 32))
