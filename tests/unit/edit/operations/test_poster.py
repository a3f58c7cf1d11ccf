import numpy as np
import pytest
import torch
from skimage import data
from torch.testing import assert_close

from imrep.edit.operations.poster import poster
from imrep.errors import BadImage, BadParameter
from imrep.ops.colour import from_lab, to_lab


def coffee():
    return torch.from_numpy(data.coffee()[::4, ::4].copy()).permute(2, 0, 1)[None].float() / 255


def different(image):
    return image[0].flatten(1).unique(dim=1).shape[1]


@pytest.mark.parametrize("colours", [1, 2, 6, 17])
def test_it_has_so_many_colours(colours):
    assert different(poster(coffee(), colours=colours)) == colours


def test_an_image_of_few_colours_stays_as_it_is_and_again_changes_nothing():
    once = poster(coffee(), colours=5)
    assert_close(poster(once, colours=5), once, rtol=0, atol=2e-5)
    assert_close(poster(once, colours=9), once, rtol=0, atol=2e-5)


def test_colours_are_about_as_close_as_scikit_learns():
    from sklearn.cluster import KMeans

    x = coffee()
    lab = (to_lab(x)[0].flatten(1).T * torch.tensor([1, 2.2, 2.2])).numpy()
    best = KMeans(6, n_init=3, random_state=0).fit(lab)
    points = to_lab(poster(x))[0].flatten(1).T * torch.tensor([1, 2.2, 2.2])
    assert np.square(points.numpy() - lab).sum() < 1.15 * best.inertia_


def test_a_pixel_takes_the_nearest_colour():
    x = coffee()
    lab, out = (to_lab(y)[0].flatten(1).T * torch.tensor([1, 2.2, 2.2]) for y in (x, poster(x)))
    difference = torch.cdist(lab, out.unique(dim=0)).amin(1)
    assert_close((lab - out).norm(dim=1), difference, rtol=0, atol=1e-5)


def test_the_same_seed_gives_the_same_and_another_may_not():
    x = torch.rand(1, 3, 300, 300)  # more pixels than are looked at
    assert torch.equal(poster(x), poster(x))
    assert not torch.equal(poster(x), poster(x, seed=1))


def test_gray_is_a_colour_like_others():
    gray = torch.rand(1, 1, 12, 12)
    assert_close(poster(gray).expand(-1, 3, -1, -1), poster(gray.expand(-1, 3, -1, -1)))


def test_lab_and_back():
    x = torch.rand(2, 3, 20, 20, dtype=torch.float64)
    x[0, :, 0] *= 0.05
    assert_close(from_lab(to_lab(x)), x, rtol=0, atol=1e-6)
    assert_close(to_lab(from_lab(to_lab(x))), to_lab(x), rtol=0, atol=1e-6)


def test_more_colours_than_pixels_are_refused():
    with pytest.raises(BadImage, match=r"poster needs .* 6 pixels at colours=6, got 1×5\. Use"):
        poster(torch.rand(1, 3, 1, 5))
    assert poster(torch.rand(1, 3, 1, 5), colours=5).shape == (1, 3, 1, 5)
    with pytest.raises(BadParameter, match="poster needs colours from 1 to 256, got 0"):
        poster(torch.rand(1, 3, 9, 9), colours=0)
    with pytest.raises(BadParameter, match="poster needs seed from 0 to 2147483648, got -1"):
        poster(torch.rand(1, 3, 9, 9), seed=-1)
