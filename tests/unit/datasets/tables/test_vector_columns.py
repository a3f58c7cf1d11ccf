"""Which columns are features, which hold the paths, and which never are features."""

import numpy as np
import pyarrow as pa
import pytest

from imrep.datasets.tables.vector_columns import select, select_csv
from imrep.errors import BadData

PATHS = ["a.png", "b.png", "c.png"]
LISTS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


def of(**columns):
    return select("mine", pa.table(columns), "v.parquet")


@pytest.mark.parametrize("name", ["path", "file", "filename", "image", "Path", "file_name"])
def test_names_of_the_paths(name):
    assert of(**{"x": [1, 2, 3], name: PATHS}).paths == tuple(PATHS)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 2), pa.large_list(pa.int16())]
)
def test_the_one_column_of_lists_wins_over_numbers(kind):
    selected = of(path=PATHS, x=[1, 2, 3], v=pa.array(LISTS, kind))
    assert selected.vectors.tolist() == LISTS and selected.vectors.dtype == np.float32
    assert selected.columns == () and selected.notes == ()


def test_lists_in_several_chunks():
    column = pa.chunked_array([LISTS[:1], LISTS[1:]])
    assert of(path=PATHS, v=column).vectors.tolist() == LISTS


def test_numeric_columns_but_labels_folds_and_identifiers():
    never = ["label", "Labels", "VALUE", "class", "target", "category", "split", "fold", "index",
             "id", "group"]  # fmt: skip
    selected = of(path=PATHS, x=[1, 2, 3], word=["u", "v", "w"], y=[0.5, 1, 2],
                  **{name: [0, 1, 2] for name in never})  # fmt: skip
    assert selected.columns == ("x", "y")
    assert selected.vectors.tolist() == [[1, 0.5], [2, 1], [3, 2]]
    assert selected.notes == (
        f"Of mine, the columns {', '.join(never)} are no features and were left out.",
    )


def test_an_unnamed_count_of_the_rows_is_no_feature():
    for name in ("", "Unnamed: 0", "__index_level_0__"):
        assert of(**{name: [0, 1, 2], "path": PATHS, "x": [1, 2, 3]}).columns == ("x",)
        assert of(**{name: [0, 1, 3], "path": PATHS, "x": [1, 2, 3]}).columns == (name, "x")


def test_an_index_of_paths_as_pandas_writes_it():
    assert of(x=[1, 2, 3], __index_level_0__=PATHS).paths == tuple(PATHS)
    assert of(id=[7, 8, 9], x=[1, 2, 3]).paths == ("7", "8", "9")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1, 2, 3]}, r"a column path in v\.parquet, got x\. Add it, or save the array alone"),
        ({"path": PATHS, "u": LISTS, "v": LISTS}, "one column of lists in v.parquet, got u, v"),
        ({"path": PATHS, "v": [[1, 2], [3, 4], [5]]}, "2 numbers for a.png and 1 for c.png"),
        ({"path": PATHS, "v": [[1.0], None, [2.0]]}, "1 numbers for a.png and 1 for b.png|length"),
        ({"path": PATHS, "v": [[[1, 2]], [[3, 4]], [[5, 6]]]}, "lists of lists; pool them"),
        ({"path": PATHS, "v": [["x"], ["y"], ["z"]]}, "integers or floats, got string"),
        ({"path": PATHS, "word": ["x", "y", "z"]}, "a column of lists or columns of numbers"),
        ({"path": PATHS, "label": [0, 1, 1]}, "a column of lists or columns of numbers"),
        ({"path": ["a", None, "c"], "x": [1, 2, 3]}, r"a path in each row .* none in row 2"),
    ],
)
def test_the_refusals(columns, message):
    with pytest.raises(BadData, match=f"^mine (needs|has).*{message}"):
        of(**columns)


def csv(text, name="v.csv"):
    return select_csv("mine", text.encode(), name)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_with_any_separator(separator):
    lines = ["path,x,y", "a.png,1,2.5", '"b.png",-3,1e-3', "c.png,+4,.5"]
    selected = csv("\n".join(line.replace(",", separator) for line in lines))
    assert selected.paths == tuple(PATHS)
    np.testing.assert_allclose(selected.vectors, [[1, 2.5], [-3, 1e-3], [4, 0.5]], rtol=1e-6)


def test_names_that_look_like_numbers_keep_their_zeros():
    assert csv("image,x\n007,1\n010,2\n").paths == ("007", "010")
    assert csv("id,x\n007,1\n010,2\n").paths == ("007", "010")


def test_csv_as_pandas_writes_it():
    selected = csv(",path,x\n0,a.png,1\n1,b.png,2\n")
    assert selected.columns == ("x",)
    assert selected.notes == ("Of mine, the column (unnamed) is no feature and was left out.",)
    assert csv(",x\na.png,1\nb.png,2\n").paths == ("a.png", "b.png")


def test_texts_among_numbers_are_refused_and_columns_of_texts_ignored():
    assert csv("path,x,label,word\na.png,1,cat,u\nb.png,2,3,v\n").columns == ("x",)
    with pytest.raises(BadData, match=r"numbers in v\.csv, got 'many' for b\.png in column x\."):
        csv("path,x\na.png,1\nb.png,many\n")


def test_an_empty_cell_becomes_nan_and_a_ragged_line_an_error():
    assert np.isnan(csv("path,x,y\na.png,1,\nb.png,2,3\n").vectors[0, 1])
    with pytest.raises(Exception, match="Expected 2 columns, got 3"):
        csv("path,x\na.png,1\nb.png,2,3\n")
