"""Pictures of regions: one colour each, and dark borders between them."""

import torch

from imrep.codes import Regions
from imrep.drawing.regions import draw_regions


def test_borders_are_the_first_pixels_of_the_next_region():
    labels = torch.zeros(1, 6, 8, dtype=torch.long)
    labels[:, :, 4:], labels[:, 3:, :4] = 1, 2
    image = torch.full((1, 3, 6, 8), 0.8)
    picture = draw_regions(Regions(labels, torch.tensor([3])), image)[0]
    dark = picture[0] < 0.5
    wanted = torch.zeros(6, 8, dtype=torch.bool)
    wanted[:, 4] = True
    wanted[3, :4] = True
    assert torch.equal(dark, wanted)
    torch.testing.assert_close(picture[:, ~dark], torch.full((3, int((~dark).sum())), 0.8))


def test_without_an_image_neighbouring_labels_differ_in_colour():
    labels = torch.arange(12).repeat_interleave(3).expand(3, 36)[None]
    picture = draw_regions(Regions(labels, torch.tensor([12])))[0]
    colours = picture[:, 1, 1::3].T
    assert torch.pdist(colours).min() > 0.05
    assert (colours[1:] - colours[:-1]).norm(dim=1).min() > 0.3


def test_each_image_of_a_batch_has_its_own_means():
    labels = torch.zeros(2, 2, 2, dtype=torch.long)
    image = torch.tensor([0.25, 0.75]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    picture = draw_regions(Regions(labels, torch.tensor([1, 1])), image)
    assert picture.shape == (2, 3, 2, 2)
    assert (picture[0] == 0.25).all() and (picture[1] == 0.75).all()
