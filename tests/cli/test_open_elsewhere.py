"""What imrep writes opens in other tools by the line that the documentation gives."""

from pathlib import Path

import numpy as np
import pytest
from commands import run
from PIL import Image
from pyarrow import parquet, types

PAGE = Path(__file__).parents[2] / "docs" / "pages" / "open.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with `clip.parquet`, `map.parquet` and, with the extra, `photos.lance`."""
    root = tmp_path_factory.mktemp("open")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        for i in range(12):
            path = Path("photos", "ab"[i % 2], f"{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (20 * i, 100, 255 - 20 * i)).save(path)
        run("embed", "photos", "histogram", "-o", "clip.parquet")
        run("map", "clip.parquet", "--method", "pca", "-o", "map.parquet")
    return root


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def store(here):
    """A store of which one row is marked deleted."""
    lance = pytest.importorskip("lance", reason="needs the extra store: pip install 'imrep[store]'")
    if not Path("photos.lance").exists():
        run("embed", "photos", "histogram", "-o", "photos.lance")
        Path("photos", "a", "0.png").rename("0.png")
        run("embed", "photos", "histogram", "-o", "photos.lance")
        Path("0.png").rename(Path("photos", "a", "0.png"))
    return lance.dataset("photos.lance")


def line(tool):
    """The code in the row of a tool, for the parquet."""
    (row,) = [text for text in PAGE.read_text().splitlines() if text.startswith(f"| {tool} |")]
    return row.split("`")[1]


def expected():
    table = parquet.read_table("clip.parquet")
    return table["path"].to_pylist(), np.stack(table["vector"].to_numpy())


@pytest.mark.parametrize("tool", ["pandas", "polars"])
def test_a_data_frame_has_paths_labels_and_vectors(here, tool):
    module = pytest.importorskip(tool, reason=f"needs {tool}")
    frame = eval(line(tool), {tool: module})
    paths, vectors = expected()
    assert list(frame.columns) == ["path", "label", "vector"] and list(frame["path"]) == paths
    assert np.array_equal(np.stack(list(frame["vector"])), vectors)


def test_duckdb_asks_it_in_sql(here):
    duckdb = pytest.importorskip("duckdb", reason="needs duckdb")
    relation = eval(line("duckdb"), {"duckdb": duckdb})
    paths, vectors = expected()
    rows = relation.fetchall()
    assert [row[0] for row in rows] == paths and np.allclose([row[2] for row in rows], vectors)
    nearest = duckdb.sql(
        "SELECT path FROM 'clip.parquet' ORDER BY list_cosine_distance(vector, "
        "(SELECT vector FROM 'clip.parquet' LIMIT 1)) LIMIT 1"
    )
    assert nearest.fetchall() == [(paths[0],)]


def test_a_store_opens_in_polars_and_duckdb(store):
    polars = pytest.importorskip("polars", reason="needs polars")
    duckdb = pytest.importorskip("duckdb", reason="needs duckdb")
    frame = polars.from_arrow(store.to_table(filter="NOT deleted"))
    assert {"path", "digest", "label", "width", "height", "vector"} <= set(frame.columns)
    photos = store  # noqa: F841  # duckdb finds it by its name
    rows = duckdb.sql("SELECT path FROM photos WHERE NOT deleted").fetchall()
    assert len(rows) == len(frame) == 11 and len(store.to_table()) == 12


def test_embedding_atlas_finds_the_columns_it_asks_for(here):
    """`--vector` names a column of lists of numbers, `--x` and `--y` columns of numbers."""
    schema = parquet.read_schema("map.parquet")
    assert types.is_fixed_size_list(schema.field("vector").type)
    assert types.is_floating(schema.field("vector").type.value_type)
    assert types.is_floating(schema.field("x").type) and types.is_floating(schema.field("y").type)
    text = PAGE.read_text()
    assert "--vector vector" in text and "--x x --y y" in text


def test_fiftyone_finds_the_images_and_the_numbers(here):
    """`from_images` takes paths of files, `points` (n, 2) and `embeddings` (n, d) arrays."""
    polars = pytest.importorskip("polars", reason="needs polars")
    table = polars.read_parquet("map.parquet")
    assert all(Path(f"photos/{path}").is_file() for path in table["path"])
    assert table[["x", "y"]].to_numpy().shape == (12, 2)
    assert table["vector"].to_numpy().shape == (12, 512)
