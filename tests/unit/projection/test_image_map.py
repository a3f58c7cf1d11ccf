"""A map as a page and as a table with x and y."""

import numpy as np
import pytest
from pyarrow import parquet

from imrep.errors import BadParameter
from imrep.projection import thumbnails
from imrep.projection.faithfulness import Faithfulness
from imrep.projection.image_map import ImageMap
from imrep.projection.labelled_vectors import LabelledVectors
from imrep.projection.layout import Layout


def image_map(paths=("a.png", "b.png"), labels=("x", None)):
    vectors = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    return ImageMap(
        "v.npz",
        LabelledVectors(vectors, paths, labels, {"spec": "hog"}),
        Layout(np.array([[0, 1], [2, 3]], np.float32), "pca"),
        Faithfulness(1, 1.0, 1.0, None, 2),
        thumbnails.none(2),
    )


def test_a_table_has_positions_and_vectors_and_keeps_the_origin(tmp_path):
    path = image_map().write(tmp_path / "map.parquet")
    table = parquet.read_table(path)
    assert table.column_names == ["path", "label", "x", "y", "vector"]
    assert table.to_pylist()[1] == {
        "path": "b.png", "label": None, "x": 2.0, "y": 3.0, "vector": [4.0, 5.0, 6.0]
    }  # fmt: skip
    assert table.schema.metadata[b"imrep.spec"] == b"hog"
    assert str(table.schema.field("vector").type) == "fixed_size_list<element: float>[3]"


def test_rows_without_paths_have_numbers(tmp_path):
    path = image_map(paths=None, labels=()).write(tmp_path / "map.parquet")
    table = parquet.read_table(path)
    assert table.column("path").to_pylist() == ["row 1", "row 2"]
    assert "label" not in table.column_names


def test_a_page_is_written_whole(tmp_path):
    made = image_map()
    assert made.write(tmp_path / "map.html").read_text(encoding="utf-8") == made.html
    assert len(made) == 2 and made.method == "principal components"
    assert made.sentence.startswith("Of the 1 image most similar")


def test_another_suffix_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(BadParameter, match=r"ending in .html or .parquet, got 'map.png'. Try map"):
        image_map().write(tmp_path / "map.png")
    assert not [*tmp_path.iterdir()]
