"""Captions as people have them: tables, COCO, parquet with images, tar shards; and damaged ones."""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imrep.datasets import captions
from imrep.errors import BadData, BadFile

DATA = Path(os.environ.get("IMREP_DATA", Path(__file__).parents[4] / "shared" / "data"))
TEXT = "Ein Hund — 犬 🐕 كلب &amp; <b>"


def png(value):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), value, np.uint8)).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Three images in a folder beside which tables are written."""
    (tmp_path / "images").mkdir()
    for i in range(3):
        (tmp_path / "images" / f"{i}.png").write_bytes(png(i))
    return tmp_path


def csv(folder, text, name="captions.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def read(data):
    """Captions by path, and the data set."""
    dataset = captions.find(data)
    return {item.path: dataset.annotations.of(item.path) for item in dataset.items}, dataset


def test_several_lines_of_an_image_are_its_captions_in_their_order(folder):
    path = csv(folder, f'path,caption\n1.png,second  first\n0.png,{TEXT}\n1.png,"a, b\nc"\n')
    texts, dataset = read(path)
    assert texts == {"images/0.png": (TEXT,), "images/1.png": ("second first", "a, b c")}
    assert [np.asarray(Image.open(io.BytesIO(i.read())))[0, 0, 0] for i in dataset.items] == [0, 1]
    assert dataset.notes[-1] == "3 captions of 2 images."
    assert read(folder)[0] == texts


@pytest.mark.parametrize("name", ["image", "file_name", "filepath"])
@pytest.mark.parametrize("caption", ["caption", "text", "Alt Text"])
def test_columns_have_the_names_people_give_them(folder, name, caption):
    texts, _ = read(csv(folder, f"{caption}\t{name}\nhello\timages/0.png\n", "x.tsv"))
    assert texts == {"images/0.png": ("hello",)}


def test_json_lines_may_hold_lists(folder):
    line = {"image": "images/2.png", "captions": ["one", "two"]}
    assert read(csv(folder, json.dumps(line), "x.jsonl"))[0] == {"images/2.png": ("one", "two")}


def test_empty_captions_are_left_out_by_their_line(folder):
    path = csv(folder, "path,caption\n0.png,a\n1.png,\n2.png,NaN\n2.png,  \n2.png\n")
    texts, dataset = read(path)
    assert texts == {"images/0.png": ("a",)}
    assert dataset.notes[0] == (
        "4 empty captions of captions.csv left out: line 3, line 4, line 5 …."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,caption\n0.png,a, b\n", "2 cells in each line, as in its first, got 3 in line 2"),
        ("path,words\n0.png,a\n", "needs a column caption, got path, words"),
        ("name,caption\n0.png,a\n", "needs a column path"),
        ("path,caption\n0.png,\n", "needs a caption, got none. 1 empty caption of captions.csv"),
        ("path,caption\n", "needs a caption, got none"),
        ("", "is empty"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(folder, text, message):
    with pytest.raises(BadData, match=message):
        captions.find(csv(folder, text))


def test_an_image_that_does_not_exist_cannot_be_read_and_says_where_it_is_named(folder):
    _, dataset = read(csv(folder, "path,caption\n0.png,a\n8.png,b\n"))
    lost = next(item for item in dataset.items if "8.png" in item.path)
    assert lost.refused
    with pytest.raises(BadFile, match=r"8.png, named by captions.csv, does not exist"):
        lost.read()


def coco(folder, images, annotations):
    (folder / "annotations").mkdir(exist_ok=True)
    path = folder / "annotations" / "captions.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


def test_coco(folder):
    images = [{"id": 7, "file_name": "0.png"}, {"id": 8, "file_name": "1.png"}]
    path = coco(
        folder, images, [{"image_id": 7, "id": i, "caption": c} for i, c in enumerate("ab")]
    )
    texts, dataset = read(path)
    assert texts == {"images/0.png": ("a", "b")} == read(folder)[0]
    assert "1 image of captions.json without a caption left out: images/1.png." in dataset.notes


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({"image_id": 9, "caption": "a"}, "got image_id 9 in entry 0 of annotations"),
        ({"image_id": 7}, "needs caption in every entry of annotations, got None in entry 0"),
        ({"caption": "a"}, "needs image_id in every entry of annotations"),
        ("a", "needs image_id"),
    ],
)
def test_entries_of_coco_that_do_not_fit_are_refused(folder, annotation, message):
    with pytest.raises(BadData, match=message):
        captions.find(coco(folder, [{"id": 7, "file_name": "0.png"}], [annotation]))


@pytest.mark.parametrize("text", ["{", "[]", '{"images": []}'])
def test_other_json_is_refused(folder, text):
    with pytest.raises(BadData, match=r"captions\.json"):
        captions.find(csv(folder, text, "captions.json"))


def tar(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_samples_of_tar_shards(folder):
    tar(folder / "shard-0.tar", {"a/1.png": png(10), "a/1.txt": TEXT.encode(), "2.png": png(20)})
    record = json.dumps({"caption": "of the json", "width": 4}).encode()
    tar(folder / "shard-1.tar", {"3.json": record, "3.png": png(30), "3.cls": b"4"})
    texts, dataset = read(folder / "shard-*.tar")
    assert texts == {"shard-0.tar/a/1.png": (TEXT,), "shard-1.tar/3.png": ("of the json",)}
    assert read(folder)[0] == texts
    assert [np.asarray(Image.open(io.BytesIO(i.read())))[0, 0, 0] for i in dataset.items] == [
        10,
        30,
    ]
    assert any("1 image of shard-0.tar … shard-1.tar without a caption" in n for n in dataset.notes)


def test_archives_that_cannot_be_read_are_refused(folder):
    with tarfile.open(folder / "x.tar", "w:gz") as archive:
        archive.add(folder / "images")
    with pytest.raises(BadData, match=r"plain \.tar.*or unpack it"):
        captions.find(folder / "x.tar")
    (folder / "x.zip").write_bytes(b"PK")
    with pytest.raises(BadData, match=r"got x\.zip. Unpack it"):
        captions.find(folder / "x.zip")


def test_parquet_with_images_and_lists_of_captions(folder):
    import pyarrow as arrow
    import pyarrow.parquet as pq

    table = {"image": [{"bytes": png(5), "path": None}] * 2, "caption": [["a", "b"], []]}
    pq.write_table(arrow.table(table), folder / "train.parquet")
    texts, dataset = read(folder / "train.parquet")
    assert texts == {"train/000000": ("a", "b")}
    assert np.asarray(Image.open(io.BytesIO(dataset.items[0].read())))[0, 0, 0] == 5
    assert "1 empty caption of train.parquet left out: row 1." in dataset.notes


def test_where_there_are_none_the_message_says_how_to_give_them(folder):
    with pytest.raises(BadData, match=r"Call the table captions\.csv"):
        captions.find(folder)
    with pytest.raises(BadData, match="got nothing at"):
        captions.find(folder / "none.csv")


def test_other_captions_have_another_key(folder):
    keys = set()
    for text in ("a\n1.png,b", "b\n1.png,a", "a b\n1.png,b", "a\n0.png,b"):
        _, dataset = read(csv(folder, f"path,caption\n0.png,{text}\n"))
        keys.add(dataset.annotations.key)
    assert len(keys) == 4


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder IMREP_DATA")
@pytest.mark.parametrize("name", ["captions/flickr8k_a", "coco_mini_train"])
def test_those_of_flickr8k_and_coco(name):
    texts, dataset = read(DATA / name)
    images = {path.name for path in (DATA / name / "images").iterdir()}
    assert {Path(path).name for path in texts} == images
    assert {len(each) for each in texts.values()} == {5}
    assert not any(item.refused for item in dataset.items)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder IMREP_DATA")
def test_coco_as_json_and_as_csv_are_the_same():
    folder = DATA / "coco_mini_train"
    as_json, as_csv = (read(folder / f)[0] for f in ("annotations/captions.json", "captions.csv"))
    assert {p: sorted(t) for p, t in as_json.items()} == {p: sorted(t) for p, t in as_csv.items()}
