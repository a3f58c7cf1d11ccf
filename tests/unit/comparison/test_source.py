"""The data set that is compared, with the user's groups."""

import pytest

from imrep.comparison.data import source
from imrep.comparison.settings import Inputs, Settings
from imrep.datasets import Dataset, Item
from imrep.datasets.sources import Refused
from imrep.errors import BadData, BadParameter


def dataset(n=3):
    items = tuple(Item(f"{i}.png", source=Refused("not read here")) for i in range(n))
    return Dataset("memory", items, total=n)


def test_groups_by_path_join_the_items():
    found = source.find(Inputs(data=dataset(), groups={"0.png": "x", "2.png": "x"}))
    assert [item.group for item in found.items] == ["x", None, "x"]
    assert found.notes == ()


def test_paths_that_are_not_there_are_noted():
    found = source.find(Inputs(data=dataset(), groups={"0.png": "x", "9.png": "y"}))
    assert found.notes == ("1 path of groups not in the data: 9.png.",)


def test_groups_from_a_table(tmp_path):
    (tmp_path / "g.csv").write_text("path,group\n0.png,x\n1.png,x\n")
    found = source.find(Inputs(data=dataset(), groups=tmp_path / "g.csv"))
    assert [item.group for item in found.items] == ["x", "x", None]


def test_groups_of_other_images_are_refused():
    with pytest.raises(BadData, match=r"needs names such as '0\.png', got 'a\.png'"):
        source.find(Inputs(data=dataset(), groups={"a.png": "x"}))


def test_images_in_memory_are_not_sampled():
    with pytest.raises(BadParameter, match="got images and max_images"):
        source.find(Inputs(data=dataset(), max_images=2))
    assert len(source.find(Inputs(data=dataset(), max_images=3)).items) == 3


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"max_images": 1}, "at least 2 images, got 1"),
        ({"max_images": 2.5}, "max_images in whole numbers, got 2.5"),
        ({"groups": ["a"]}, "groups to be a csv file or the group of each path"),
    ],
)
def test_wrong_inputs_are_named(inputs, message):
    with pytest.raises(BadParameter, match=message):
        Inputs(**inputs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": 32}, r"several sizes, got 32. Try \(32, 64\)"),
        ({"sizes": (32, 4)}, "sizes of at least 8 pixels, got 4"),
        ({"size": 64.0}, "sizes in whole numbers, got 64.0"),
        ({"margin": -1}, "margin"),
        ({"seed": -1}, "seed"),
        ({"threads": 0}, "threads"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(BadParameter, match=message):
        Settings(**settings)


@pytest.mark.parametrize(
    ("data", "command"), [(None, None), ("-", None), ("photos", "photos"), (("a", "b"), None)]
)
def test_a_command_repeats_only_typed_data(data, command):
    assert Inputs(data=data).command_data == command
