"""Colours of classes: one for each, over the image with lines between."""

import torch

from imrep.drawing import overlay, paint, palette


def test_each_class_has_a_colour_of_its_own():
    colours = palette(60)
    assert len(set(colours)) == 60
    assert all(0 <= channel <= 255 for colour in colours for channel in colour)


def test_classes_are_painted_and_none_is_dark_gray():
    mask = torch.tensor([[[0, 1], [-1, 1]]])
    picture = paint(mask, [(255, 0, 0), (0, 0, 255)])
    assert picture.shape == (1, 3, 2, 2)
    assert picture[0, :, 0, 0].tolist() == [1, 0, 0] and picture[0, :, 1, 1].tolist() == [0, 0, 1]
    assert picture[0, :, 1, 0].unique().numel() == 1 and picture[0, 0, 1, 0] < 0.2


def test_an_overlay_keeps_the_image_where_there_is_no_class():
    image, mask = torch.rand(1, 3, 6, 6), torch.full((1, 6, 6), -1)
    torch.testing.assert_close(overlay(image, mask, palette(2)), image)
    mask[:, 3:] = 1
    mixed = overlay(image, mask, [(0, 0, 0), (255, 255, 255)])
    torch.testing.assert_close(mixed[:, :, :3], image[:, :, :3])
    assert (mixed[:, :, 4:] > image[:, :, 4:]).all()
    assert (mixed[:, :, 3] < mixed[:, :, 4:].amin()).all()  # the line
