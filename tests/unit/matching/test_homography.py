"""Homographies against closed cases, OpenCV and exact arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.matching.homography import chance, corners, estimate, scaling, transform

SIZE = st.tuples(st.integers(1, 3000), st.integers(1, 3000))
VIEW = torch.tensor([[0.9, 0.2, 90.0], [-0.15, 1.0, 110], [-6e-4, 4e-4, 1]], dtype=torch.float64)


def points(count, size=(400, 500), seed=0):
    dice = np.random.default_rng(seed)
    return torch.from_numpy(dice.uniform((0, 0), size[::-1], (count, 2)))


class TestTransform:
    @given(st.integers(0, 50))
    def test_it_is_that_of_opencv(self, seed):
        import cv2

        xy = points(7, seed=seed)
        expected = cv2.perspectiveTransform(xy.numpy()[None], VIEW.numpy())[0]
        assert_close(transform(xy, VIEW), torch.from_numpy(expected))

    def test_the_inverse_maps_back_and_a_factor_does_not_matter(self):
        xy = points(9)
        assert_close(transform(transform(xy, VIEW), VIEW.inverse()), xy)
        assert_close(transform(xy, -3 * VIEW), transform(xy, VIEW))

    def test_two_in_a_row_are_their_product(self):
        other = scaling((400, 500), (200, 900))
        assert_close(
            transform(transform(points(9), VIEW), other), transform(points(9), other @ VIEW)
        )

    def test_no_points(self):
        assert transform(points(0), VIEW).shape == (0, 2)


class TestScaling:
    @given(SIZE, SIZE)
    def test_the_area_of_one_image_becomes_that_of_the_other(self, old, new):
        assert_close(transform(corners(old), scaling(old, new)), corners(new))

    @given(SIZE, SIZE, SIZE)
    def test_scaling_through_a_third_size_is_the_same(self, old, middle, new):
        assert_close(scaling(middle, new) @ scaling(old, middle), scaling(old, new))

    def test_a_pixel_of_half_the_size_is_the_middle_of_four(self):
        halved = transform(torch.tensor([[0.5, 2.5]]).double(), scaling((4, 8), (2, 4)))
        assert halved.tolist() == [[0, 1]]

    def test_it_agrees_with_resizing(self):
        """The centre of mass of a smooth spot moves as its pixels do."""
        from imrep.ops.resize import resize

        y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
        spot = torch.exp(-((x - 37) ** 2 + (y - 15) ** 2) / 30)[None, None]
        resized = resize(spot, 60, 30)[0, 0].clamp_min(0)
        v, u = torch.meshgrid(torch.arange(60.0), torch.arange(30.0), indexing="ij")
        centre = torch.stack([(u * resized).sum(), (v * resized).sum()]) / resized.sum()
        expected = transform(torch.tensor([[37.0, 15]]).double(), scaling((40, 60), (60, 30)))
        assert_close(centre[None].double(), expected, atol=0.05, rtol=0)


def test_corners_are_clockwise_from_the_upper_left_around_the_area():
    ring = corners((3, 5))
    assert ring.tolist() == [[-0.5, -0.5], [4.5, -0.5], [4.5, 2.5], [-0.5, 2.5]]
    x, y = ring.T
    area = (x * y.roll(-1) - x.roll(-1) * y).sum() / 2
    assert area.item() == 15  # positive: clockwise, as y points down


class TestChance:
    @settings(max_examples=40)
    @given(
        st.integers(5, 60), st.tuples(st.integers(20, 900), st.integers(20, 900)),
        st.sampled_from([1, 3, 8]),
    )  # fmt: skip
    def test_it_is_the_largest_set_that_one_image_in_a_hundred_explains(self, n, size, within):
        p = min(Fraction(1), Fraction(math.pi * within**2) / (size[0] * size[1]))
        alarms = {k: (n - 4) * math.comb(n, k) * math.comb(k, 4) * p ** (k - 4)
                  for k in range(5, n + 1)}  # fmt: skip
        assert chance(n, size, within) == max((k for k in alarms if alarms[k] > 0.01), default=4)

    def test_ten_thousand_pairs_do_not_overflow(self):
        assert 17 < chance(100_000, (480, 640)) < 100


class TestEstimate:
    def test_exact_pairs_give_the_homography_and_a_third_of_outliers_does_not_matter(self):
        first = points(60)
        second = transform(first, VIEW)
        assert_close(estimate(first, second, (400, 500), 3.0), VIEW, atol=1e-3, rtol=1e-5)
        second[::3] = points(20, seed=1)
        view = estimate(first, second, (400, 500), 3.0)
        assert view[2, 2] == 1
        assert_close(transform(first[1::3], view), second[1::3], atol=0.2, rtol=0)

    @pytest.mark.parametrize("count", [0, 3, 4])
    def test_four_pairs_prove_nothing(self, count):
        assert estimate(points(count), points(count), (400, 500), 3.0) is None

    @pytest.mark.parametrize("shift", [0.0, 120.0])
    def test_a_mirrored_image_is_no_view(self, shift):
        first = points(40)
        second = first * torch.tensor([-1.0, 1.0]) + shift
        assert estimate(first, second, (400, 500), 3.0) is None

    @pytest.mark.parametrize(
        ("factor", "possible"), [(15.0, True), (17.0, False), (1 / 15, True), (1 / 17, False)]
    )
    def test_an_enlargement_of_more_than_sixteen_is_no_view(self, factor, possible):
        first = points(40)
        view = estimate(first, factor * first, (400, 500), 0.5)
        assert (view is not None) is possible

    @pytest.mark.parametrize(("factor", "possible"), [(1 / 8, True), (4.0, False)])
    def test_what_is_nearer_is_enlarged_more(self, factor, possible):
        """At the lower edge the depth is 1/4, which enlarges eight times."""
        near = torch.tensor([[factor, 0, 0], [0, factor, 0], [0, -0.75 / 399.5, 1]]).double()
        first = points(60)
        view = estimate(first, transform(first, near), (400, 500), 0.5)
        assert (view is not None) is possible

    def test_a_horizon_within_the_image_is_no_view(self):
        behind = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, -1 / 300, 1]], dtype=torch.float64)
        first = points(60, (250, 500))
        second = transform(first, behind)
        assert estimate(first, second, (250, 500), 3.0) is not None
        assert estimate(first, second, (400, 500), 3.0) is None  # row 300 is at infinity
