"""A recipe refuses numbers that no training can use."""

import pytest

from imrep.base import Recipe
from imrep.errors import BadParameter


@pytest.mark.parametrize(
    "named",
    [
        {"optimiser": "lbfgs"},
        {"schedule": "linear"},
        {"learning_rate": -1},
        {"weight_decay": float("nan")},
        {"warmup": 2},
        {"batch": 2.5},
        {"steps": 0},
        {"size": -1},
        {"size": 32, "crop": 64},
        {"augment": "flip+blur"},
        {"size": 0, "crop": 0},
        {"crop": 4},
    ],
)
def test_values_out_of_range_are_refused(named):
    with pytest.raises(BadParameter, match="train needs"):
        Recipe(**named)


def test_augmentations_are_joined_by_a_plus():
    assert Recipe(augment="crop + flip").augmentations == ("crop", "flip")
    assert Recipe(augment="").augmentations == ()


def test_the_side_is_the_crop_where_there_is_one():
    assert Recipe(size=64).side == 64
    assert Recipe(size=0, crop=40).side == 40
