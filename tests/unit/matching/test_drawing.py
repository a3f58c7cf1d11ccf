"""The picture of a match: sizes, what is drawn where, and in which colours."""

import pytest
import torch

from imrep.errors import BadImage
from imrep.matching.drawing import draw
from imrep.matching.match import Match

GRAY = torch.full((1, 1, 480, 500), 0.5)
OTHER = torch.full((1, 3, 490, 520), 0.5)


def match(first, second, inlier, homography=None, chance=0):
    return Match(
        first=torch.tensor(first).double().reshape(-1, 2),
        second=torch.tensor(second).double().reshape(-1, 2),
        inlier=torch.tensor(inlier, dtype=torch.bool),
        homography=homography,
        sizes=((480, 500), (490, 520)),
        points=(len(first), len(second)),
        chance=chance,
    )


def pixel(drawing, x, y):
    return tuple((255 * drawing[0, :, y, x]).round().int().tolist())


def test_nothing_matched_is_both_images_and_white_between():
    drawing = draw(match([], [], []), GRAY, OTHER)
    assert drawing.shape == (1, 3, 490, 500 + 8 + 520)
    assert (drawing[..., :480, :500] - 0.5).abs().max() < 1 / 255
    assert (drawing[..., 508:] - 0.5).abs().max() < 1 / 255
    assert (drawing[..., 500:508] == 1).all() and (drawing[..., 480:, :500] == 1).all()


def test_an_outlier_is_a_gray_dot_in_both_images_and_no_line():
    drawing = draw(match([[100, 50]], [[300, 200]], [False]), GRAY, OTHER)
    assert pixel(drawing, 100, 50) == pixel(drawing, 508 + 300, 200) == (170, 170, 170)
    changed = (drawing - draw(match([], [], []), GRAY, OTHER)).abs().amax(1)[0]
    changed[45:56, 95:106] = changed[195:206, 803:814] = 0
    assert not changed.any()


def test_inliers_have_a_hue_by_their_x_and_a_line():
    drawing = draw(match([[0, 50], [490, 50]], [[10, 100], [400, 100]], [True] * 2), GRAY, OTHER)
    red, violet = pixel(drawing, 0, 50), pixel(drawing, 490, 50)
    assert red[0] > red[2] and violet[2] > violet[1] and red == pixel(drawing, 508 + 10, 100)
    middle = pixel(drawing, (0 + 518) // 2, 75)  # half way along the first line
    assert middle[0] > middle[2]


def test_of_many_inliers_eighty_have_a_line_and_all_a_dot():
    ys = torch.linspace(5, 470, 120).round().tolist()
    ends = [[x, y] for x, y in zip([2.0] * 120, ys, strict=True)]
    drawing = draw(match(ends, [[510, y] for y in ys], [True] * 120), GRAY, OTHER)
    column = (drawing[0, :, :480, 250] - 0.5).abs().amax(0) > 0.05
    rows = column.nonzero()[:, 0]
    runs = 1 + int((rows.diff() > 1).sum())
    assert 40 < runs <= 80
    for y in ys:
        assert pixel(drawing, 2, int(y)) != (128, 128, 128)


def test_the_outline_needs_a_match_and_is_clipped_to_its_image():
    shifted = torch.tensor([[1.0, 0, -100], [0, 1, 30], [0, 0, 1]]).double()
    xy = [[40.0 * i + 110, 20 + 9 * i] for i in range(9)]
    few = match(xy, xy, [True] * 9, shifted)
    yellow = torch.tensor([255, 214, 10]).view(3, 1, 1) / 255

    def outlined(match):
        return ((draw(match, GRAY, OTHER)[0] - yellow).abs().amax(0) < 0.02).nonzero()

    assert not len(outlined(few))
    twelve = [[30.0 * i + 110, 20 + 9 * i] for i in range(12)]
    rows, columns = outlined(match(twelve, twelve, [True] * 12, shifted)).T
    assert int(columns.min()) >= 508 and abs(int(rows.min()) - 29.5) < 3
    assert abs(int(columns.max()) - (508 + 399.5)) < 3


@pytest.mark.parametrize(("first", "second"), [(OTHER, GRAY), (GRAY[..., 1:], OTHER)])
def test_images_of_other_sizes_are_refused_with_the_way_to_scale_the_match(first, second):
    with pytest.raises(BadImage, match=r"\(\(480, 500\), \(490, 520\)\), got .* Try match\.resiz"):
        draw(match([], [], []), first, second)


def test_points_far_outside_do_no_harm():
    far = match([[1e12, -1e12]], [[float("1e300"), 5]], [False])
    assert torch.equal(draw(far, GRAY, OTHER), draw(match([], [], []), GRAY, OTHER))


def test_a_gradient_and_another_type_are_taken():
    first = GRAY.double().requires_grad_()
    assert torch.equal(draw(match([], [], []), first, OTHER), draw(match([], [], []), GRAY, OTHER))
