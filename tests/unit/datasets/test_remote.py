"""URIs: a store that answers as S3, stores that do not answer, and `file://`."""

import io
import time

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from object_store import serving
from pyarrow import fs
from tar_files import gray, png, tar

from imrep import datasets, images
from imrep.datasets import remote
from imrep.errors import BadData, BadFile


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A server with photographs, shards and a table; `uri` gives the URI of a path."""
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    bucket = tmp_path / "store" / "bucket"
    for folder in ("cat", "dog"):
        for number in range(2):
            path = bucket / "photos" / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(number))
    for number in range(2):
        key = f"{number:03}"
        tar(
            bucket / f"shards/s-{key}.tar",
            {f"{key}.png": png(number), f"{key}.cls": b"%d" % number},
        )
    with serving(tmp_path / "store") as server:
        server.bucket = bucket
        server.uri = lambda path: f"s3://bucket/{path}?endpoint=127.0.0.1:{server.port}&scheme=http"
        yield server
    remote.filesystem.cache_clear()


def labels(dataset):
    return {item.path: item.label for item in dataset.items}


def test_a_folder_of_a_store_is_a_folder(store):
    dataset = datasets.find(store.uri("photos"))
    assert labels(dataset) == {"cat/0.png": "cat", "cat/1.png": "cat", "dog/0.png": "dog",
                               "dog/1.png": "dog"}  # fmt: skip
    assert [gray(item) for item in dataset.items] == [0, 1, 0, 1] and dataset.name == "photos"
    assert all(size and when for size, when in (item.stamp for item in dataset.items))


def test_its_table_labels(store):
    (store.bucket / "photos/split.csv").write_text("path,label\ncat/0.png,x\ndog/1.png,y\n")
    found = labels(datasets.find(store.uri("photos")))
    assert found["cat/0.png"] == "x" and found["dog/0.png"] is None


@pytest.mark.parametrize("path", ["shards", "shards/*.tar", "shards/s-{000..001}.tar", "**/*.tar"])
def test_shards(store, path):
    dataset = datasets.find(store.uri(path))
    assert labels(dataset) == {"s-000.tar/000.png": "0", "s-001.tar/001.png": "1"}
    store.requests.clear()
    assert gray(dataset.items[1]) == 1
    assert all("s-001" in request for request in store.requests)


def test_one_file_a_pattern_and_a_list(store):
    single = datasets.find(store.uri("photos/cat/1.png"))
    assert labels(single) == {"1.png": None} and gray(single.items[0]) == 1
    pattern = datasets.find(store.uri("photos/*/1.png"))
    assert labels(pattern) == {"s3://bucket/photos/cat/1.png": "cat",
                               "s3://bucket/photos/dog/1.png": "dog"}  # fmt: skip
    listed = datasets.find([store.uri("photos/cat/0.png"), store.uri("photos/cat/gone.png"),
                            store.uri("photos/cat")])  # fmt: skip
    good, folder, gone = sorted(listed.items, key=lambda item: item.refused)
    assert gray(good) == 0
    reasons = f"{folder.source.reason} {gone.source.reason}"
    assert "is a folder" in reasons and "gone.png does not exist" in reasons


def test_images_in_parquet(store):
    table = arrow.table({"image": [{"bytes": png(3), "path": "a"}], "label": ["x"]})
    parquet.write_table(table, store.bucket / "rows.parquet")
    dataset = datasets.find(store.uri("rows.parquet"))
    assert [(gray(item), item.label) for item in dataset.items] == [(3, "x")]


@pytest.mark.parametrize("suffix", [".heic", ".jxl", ".jp2", ".avif"])
def test_other_formats_from_a_store_and_from_a_shard(store, suffix):
    import PIL.Image

    pytest.importorskip("pillow_heif", reason="the extra `formats` is not installed")
    pytest.importorskip("pillow_jxl", reason="the extra `formats` is not installed")
    from pillow_heif import register_heif_opener

    register_heif_opener()
    file = io.BytesIO()
    try:
        PIL.Image.new("RGB", (64, 48), (200, 100, 50)).save(file, _FORMATS[suffix])
    except (KeyError, OSError) as error:
        pytest.skip(f"this machine writes no {suffix}: {error}")
    (store.bucket / f"one{suffix}").write_bytes(file.getvalue())
    tar(store.bucket / "more.tar", {f"1{suffix}": file.getvalue(), "1.cls": b"x"})
    for path in (f"one{suffix}", "more.tar"):
        (item,) = datasets.find(store.uri(path)).items
        square, facts = images.square(item.read(), None)
        assert (facts.width, facts.height) == (64, 48)
        assert np.abs(square.mean((0, 1)) - (200, 100, 50)).max() < 12


_FORMATS = {".heic": "HEIF", ".jxl": "JXL", ".jp2": "JPEG2000", ".avif": "AVIF"}


def test_what_needs_a_disk_is_refused_with_the_way_out(store):
    for name in ("a.csv", "a.zip", "a.json", "a.tar.gz"):
        (store.bucket / name).write_bytes(b"x")
        with pytest.raises(BadData, match=r"split\.csv|Copy it here"):
            datasets.find(store.uri(name))


def test_a_refusing_store_and_nothing_there_are_one_line(store):
    with pytest.raises(BadData, match=r"got nothing at s3://bucket/gone\. Check"):
        datasets.find(store.uri("gone"))
    with pytest.raises(BadData, match=r"needs to name at least one image"):
        datasets.find(store.uri("photos/*.webp"))
    (item,) = datasets.find(store.uri("photos/cat/1.png")).items
    store.refuses = True
    for call in (lambda: datasets.find(store.uri("photos")), item.read):
        with pytest.raises((BadData, BadFile), match=r"ACCESS_DENIED.*AWS_ACCESS_KEY_ID") as error:
            call()
        assert "\n" not in str(error.value)


def test_a_store_that_does_not_answer_gives_up(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    start = time.monotonic()
    with pytest.raises(BadData, match=r"s3://b/x cannot be read: .*Check the network"):
        datasets.find("s3://b/x?endpoint=127.0.0.1:9&scheme=http&region=here")
    assert time.monotonic() - start < 20
    remote.filesystem.cache_clear()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("https://host/a.png", r"s3://.*got https://host/a\.png\. Download it"),
        ("ftp://host/a.png", "Copy it here"),
        ("hdfs://host/a", "hdfs://host/a cannot be read|hdfs:// needs pyarrow"),
        ("file://other/a.png", "of this machine"),
    ],
)
def test_other_uris_are_one_line(uri, message):
    with pytest.raises(Exception, match=message) as error:
        datasets.find(uri)
    assert type(error.value).__module__ == "imrep.errors" and "\n" not in str(error.value)


def test_file_uris_are_paths(tmp_path):
    path = tmp_path / "my photos" / "cat" / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(png(5))
    uri = (tmp_path / "my photos").as_uri()
    assert "%20" in uri
    (item,) = datasets.find(uri).items
    assert item.path == "cat/a.png" and item.file == path
    (listed,) = datasets.find([path.as_uri()]).items
    assert listed.file == path and datasets.holds_many(uri)
    assert not datasets.holds_many(path.as_uri())


def test_any_file_system_of_pyarrow(monkeypatch, tmp_path):
    tar(tmp_path / "b/1.tar", {"1.png": png(1), "1.cls": b"x"})
    base = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr(remote, "filesystem", lambda store: base)
    (item,) = datasets.find("gs://b/1.tar").items
    assert gray(item) == 1 and item.label == "x"


@pytest.mark.parametrize(
    ("uri", "many"),
    [
        ("s3://b/photos", True),
        ("s3://b/*.png", True),
        ("s3://b/a.tar", True),
        ("s3://b/a.png", False),
    ],
)
def test_which_hold_several(uri, many):
    assert datasets.holds_many(uri) is many
