"""Five rules for which row belongs to which image, in order and never mixed."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.data.path_matching import match, normalised
from imrep.datasets import Item
from imrep.datasets.sources import File, Refused

IMAGES = ("cat/1.png", "cat/2.png", "dog/3.png")


def items(paths=IMAGES, root=None):
    sources = [Refused("in memory") if root is None else File(root / path) for path in paths]
    return [Item(path, source=source) for path, source in zip(paths, sources, strict=True)]


def rows(paths, images=IMAGES, root=None):
    matching = match(items(images, root), range(len(images)), paths)
    return matching.rule, [matching.row(i) for i in range(len(images))]


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        (1, IMAGES),
        (1, [f"./{path}" for path in IMAGES]),
        (1, [path.replace("/", "\\") for path in IMAGES]),
        (3, [f"/old/disk/photos/{path}" for path in IMAGES]),
        (3, [f"C:\\photos\\{path}" for path in IMAGES]),
        (3, [f"photos/{path}" for path in IMAGES]),
        (3, [path.rpartition("/")[2] for path in IMAGES]),
        (4, [f"flat/{path.rpartition('/')[2]}" for path in IMAGES]),
        (5, [f"flat/{path.rpartition('/')[2][:-4]}.npy" for path in IMAGES]),
        (5, ["1", "2", "3"]),
    ],
)
def test_each_rule_finds_every_row(rule, paths):
    assert rows(paths) == (rule, [0, 1, 2])
    assert rows(paths[::-1]) == (rule, [2, 1, 0])


def test_rule_2_is_the_same_file_through_links_and_dots(tmp_path, monkeypatch):
    root = tmp_path / "photos"
    for path in IMAGES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    (tmp_path / "link").symlink_to(root)
    paths = [f"{tmp_path}/link/./{path}" for path in IMAGES]
    assert rows(paths, root=root) == (2, [0, 1, 2])
    monkeypatch.chdir(root / "dog")
    assert rows([f"../{path}" for path in IMAGES], root=root) == (2, [0, 1, 2])
    assert rows(paths) == (3, [0, 1, 2])  # members of an archive are no files


def test_a_folder_below_the_data():
    images = [f"photos/{path}" for path in IMAGES]
    assert rows(IMAGES, images) == (3, [0, 1, 2])


def test_case_is_kept_and_letters_are_composed():
    assert rows(["A.png"], ["a.png"])[1] == [None]
    decomposed = unicodedata.normalize("NFD", "ä.png")
    assert rows([decomposed], ["ä.png"]) == (1, [0])


def test_rules_are_never_mixed():
    rule, found = rows(["cat/1.png", "elsewhere/2.png", "dog/x.png"])
    assert (rule, found) == (4, [0, 1, None])  # the best one, alone


def test_of_equally_good_rules_the_earlier_stands():
    assert rows(["cat/1.png", "nothing.png"]) == (1, [0, None, None])
    assert rows(["nothing.png"]) == (1, [None] * 3)


def test_two_rows_or_two_images_are_ambiguous():
    matching = match(items(), range(3), ["x/1.png", "y/1.png", "z/2.png", "z/3.png"])
    assert matching.row(0) is None and matching.ambiguous(0) == ([0, 1], [0])
    twins = items(["a/1.png", "b/1.png"])
    matching = match(twins, range(2), ["c/1.png"])
    assert matching.rule == 1 and matching.ambiguous(0) is None  # under no rule a row of its own
    twins = items(["a/1.png", "b/1.png", "b/2.png"])
    matching = match(twins, range(3), ["c/1.png", "c/2.png"])
    assert (matching.rule, matching.row(2), matching.ambiguous(1)) == (4, 1, ([0], [0, 1]))


def test_images_that_are_not_asked_for_still_make_a_name_ambiguous():
    twins = items(["a/1.png", "b/1.png"])
    assert match(twins, [0], ["1.png"]).row(0) is None
    assert match(twins, [0], ["a/1.png"]).row(0) == 0


def test_a_number_after_a_point_is_no_suffix():
    assert rows(["scan.1", "scan.2"], ["scan.1.png", "scan.2.png"]) == (5, [0, 1])


@given(st.permutations(IMAGES))
def test_the_order_of_the_rows_changes_nothing(paths):
    assert rows(paths) == (1, [paths.index(image) for image in IMAGES])


@pytest.mark.parametrize(
    ("path", "expected"),
    [("./a", "a"), (".//./a", "a"), ("..\\a", "../a"), (".a", ".a"), ("/a", "/a")],
)
def test_normalised(path, expected):
    assert normalised(path) == expected
    assert normalised(str(Path(expected))) == expected
