"""Inputs and settings of a comparison: what is refused, by name and with a remedy."""

import math
from pathlib import Path

import numpy as np
import pytest

from imrep.comparison.settings import Inputs, Settings
from imrep.errors import BadParameter


@pytest.mark.parametrize("sizes", [[32, 64], 64, "32,64", None])
def test_sizes_are_a_tuple(sizes):
    with pytest.raises(BadParameter, match=r"compare needs several sizes, got .* Try \(32, 64\)"):
        Settings(sizes=sizes)


@pytest.mark.parametrize("side", [64.0, "64", True, None, math.nan])
def test_sides_are_whole_numbers(side):
    for options in ({"size": side}, {"sizes": (32, side)}):
        with pytest.raises(BadParameter, match="compare needs sizes in whole numbers, got"):
            Settings(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 7}, "sizes of at least 8 pixels, got 7"),
        ({"sizes": (8, -64)}, "sizes of at least 8 pixels, got -64"),
        ({"margin": -0.1}, "margin from 0"),
        ({"margin": 100.5}, "margin from 0"),
        ({"margin": math.nan}, "margin from 0"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"threads": 0}, "threads"),
        ({"threads": 257}, "threads"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(BadParameter, match=f"compare needs {message}"):
        Settings(**options)


def test_the_ends_of_every_range_are_accepted():
    Settings(size=8, sizes=(8, np.int64(4096)), margin=0, seed=0, threads=1)
    Settings(margin=100, seed=2**32 - 1, threads=256)


@pytest.mark.parametrize("count", [1, 0, -5])
def test_two_images_are_the_fewest(count):
    with pytest.raises(BadParameter, match=f"at least 2 images, got {count}"):
        Inputs(max_images=count)
    Inputs(max_images=2)


@pytest.mark.parametrize("count", [2.0, "10", True])
def test_the_number_of_images_is_whole(count):
    with pytest.raises(BadParameter, match="max_images in whole numbers"):
        Inputs(max_images=count)


@pytest.mark.parametrize("name", ["groups", "same_object"])
def test_groups_are_a_file_or_a_mapping(name):
    for value in ("groups.csv", ["a", "b"], 3):
        with pytest.raises(BadParameter, match=rf"needs {name} .* Try {{path: group}}"):
            Inputs(**{name: value})
    Inputs(**{name: Path("groups.csv")})
    Inputs(**{name: {"a.png": "g"}})


def test_a_command_can_repeat_only_what_was_typed():
    assert Inputs(data="photos").command_data == "photos"
    for data in (None, "-", ("a", "b")):
        assert Inputs(data=data).command_data is None
