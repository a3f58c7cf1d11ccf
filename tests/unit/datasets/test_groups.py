"""Groups of images from a table of paths."""

import pytest

from imrep.datasets import Item, groups
from imrep.datasets.sources import File, Refused
from imrep.errors import BadData


@pytest.fixture
def items(tmp_path):
    """a.png and d/b.png on disk, and one in memory."""
    (tmp_path / "d").mkdir()
    listed = []
    for name in ("a.png", "d/b.png"):
        (tmp_path / name).touch()
        listed.append(Item(name, source=File(tmp_path / name)))
    return [*listed, Item("000002", source=Refused("in memory"))]


def table_file(folder, text):
    (folder / "g.csv").write_text(text)
    return folder / "g.csv"


def test_names_of_items_and_paths_from_the_folder_of_the_table_are_taken(items, tmp_path):
    table = table_file(tmp_path / "d", "path,group\na.png,1\nb.png,2\n000002,2\n")
    assert groups(items, table) == ({"a.png": "1", "d/b.png": "2", "000002": "2"}, [])
    table = table_file(tmp_path, f"path,session\n{tmp_path}/a.png,1\nother.png,2\n")
    assert groups(items, table) == ({"a.png": "1"}, ["other.png"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path,group\nx.png,1\n", r"--same needs paths of this data set such as '000002', got 'x"),
        ("path,group\n", r"--same needs lines in g\.csv, got none\."),
        ("path\na.png\n", r"g\.csv needs a column group, got path"),
        ("path,group\na.png,1\na.png,2\n", r"needs one group for each path, .* a\.png \(1, 2\)"),
    ],
)
def test_a_table_of_other_things_is_refused(items, tmp_path, text, reason):
    with pytest.raises(BadData, match=reason):
        groups(items, table_file(tmp_path, text), "--same")


def test_a_table_that_is_not_there_is_refused_by_the_option(items, tmp_path):
    with pytest.raises(BadData, match=r"^--same needs a csv file, got .*gone\.csv: "):
        groups(items, tmp_path / "gone.csv", "--same")
