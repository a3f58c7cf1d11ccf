"""Numbers and sets of labels, in every form in which data arrives."""

import json
import shutil

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from imrep import datasets
from imrep.datasets.target import ANY, Request
from imrep.errors import BadData
from tests.unit.datasets.test_find import planted, png

VALUES = {"a.png": 1.5, "b.png": -2.0, "c.png": None, "d.png": 40.0}
LABELS = {"a.png": ("cat", "dog"), "b.png": (), "c.png": ("dog",), "d.png": ("cat",)}


@pytest.fixture
def root(tmp_path):
    """Four pictures, without a table."""
    return planted(tmp_path / "set", *VALUES)


def table(column, answers, separator=","):
    """A table of targets as text."""
    cells = {p: "|".join(a) if isinstance(a, tuple) else a for p, a in answers.items()}
    lines = [f"{path}{separator}{'' if a is None else a}" for path, a in cells.items()]
    return "\n".join([f"path{separator}{column}", *lines, ""])


def found(data, request=ANY):
    dataset = datasets.find(data, target=request)
    return dataset.target.kind, {item.path: item.answer for item in dataset.items}


@pytest.mark.parametrize(("kind", "answers"), [("value", VALUES), ("labels", LABELS)])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet"])
def test_a_table_of_any_kind_is_read(root, kind, answers, name):
    rows = [{"path": path, kind: answer} for path, answer in answers.items()]
    if name == "t.jsonl":
        (root / name).write_text("\n".join(map(json.dumps, rows)))
    elif name == "t.parquet":
        parquet.write_table(arrow.Table.from_pylist(rows), root / name)
    else:
        (root / name).write_text(table(kind, answers, "\t" if name == "t.tsv" else ","))
    assert found(root / name) == (kind, answers)


@pytest.mark.parametrize(("kind", "answers"), [("value", VALUES), ("labels", LABELS)])
def test_a_folder_and_its_archive_are_read_by_their_split(root, kind, answers):
    (root / "split.csv").write_text(table(kind, answers))
    assert found(root) == (kind, answers)
    archive = shutil.make_archive(str(root.parent / "packed"), "zip", root)
    assert found(archive) == (kind, answers)
    assert found([str(root)]) == (kind, {f"{root.as_posix()}/{p}": a for p, a in answers.items()})


def test_parquet_files_of_images_are_read_together(root):
    for name, values in (("train", [1, 2]), ("test", [0.5, None])):
        rows = [{"image": {"bytes": png(i), "path": None}, "value": values[i]} for i in range(2)]
        parquet.write_table(arrow.Table.from_pylist(rows), root / f"{name}.parquet")
    for path in root.glob("*.png"):
        path.unlink()
    kind, answers = found(root)
    assert kind == "value" and list(answers.values()) == [0.5, None, 1.0, 2.0]


def test_numbered_lists_of_labels_are_named_by_their_features(root):
    feature = {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    metadata = {"huggingface": json.dumps({"info": {"features": {"labels": feature}}})}
    rows = [{"image": png(i), "labels": each} for i, each in enumerate([[1, 0], [], [1]])]
    made = arrow.Table.from_pylist(rows).replace_schema_metadata(metadata)
    parquet.write_table(made, root / "t.parquet")
    kind, answers = found(root / "t.parquet")
    assert kind == "labels" and list(answers.values()) == [("cat", "dog"), (), ("dog",)]


def test_a_picture_without_a_line_is_not_known(root):
    (root / "split.csv").write_text("path,labels\na.png,cat|dog\nb.png,\n")
    dataset = datasets.find(root, target=ANY)
    assert [item.labels for item in dataset.items] == [("cat", "dog"), (), None, None]
    assert "2 files without a line in split.csv without labels: c.png, d.png." in dataset.notes


def test_the_column_is_asked_for_where_there_are_several(root):
    (root / "split.csv").write_text("path,label,value,stars\na.png,x,1,4\nb.png,y,2,5\n")
    with pytest.raises(BadData, match=r"split\.csv has several targets: label, value\. Choose one"):
        datasets.find(root, target=ANY)
    assert found(root, Request("value"))[1]["b.png"] == 2.0
    assert found(root, Request("label"))[1]["b.png"] == "y"
    assert found(root, Request("stars"))[1]["b.png"] == "5"
    assert found(root, Request("stars", "value"))[1]["b.png"] == 5.0
    assert {item.answer for item in datasets.find(root).items} == {"x", "y", None}  # classes alone
    with pytest.raises(BadData, match=r"needs a column price, got path, label, value, stars"):
        datasets.find(root, target=Request("price"))


@pytest.mark.parametrize("cell", ["inf", '"1,5"', "12 kg", "$5"])
def test_what_is_no_number_is_refused_with_its_line(root, cell):
    (root / "split.csv").write_text(f'path,value,note\na.png,1,"two\nlines"\n\nb.png,{cell},\n')
    shown = cell.strip('"')
    with pytest.raises(BadData) as caught:
        datasets.find(root, target=ANY)
    assert f"split.csv needs numbers in the column value, got {shown!r} in line 5. " in str(
        caught.value
    )


def test_a_declared_delimiter_is_a_line_too(root):
    (root / "t.csv").write_text("sep=;\npath;value\na.png;1\nb.png;1,5\n")
    with pytest.raises(BadData, match=r"got '1,5' in line 4\. Write 1\.5 with a point"):
        datasets.find(root / "t.csv", target=ANY)


def test_two_values_for_a_path_are_refused_with_their_lines(root):
    (root / "split.csv").write_text("path,value\na.png,1\nb.png,2\n./a.png,3\nb.png,2.0\n")
    message = r"1 path has two values: a\.png \(1 in line 2, 3 in line 4\)"
    with pytest.raises(BadData, match=message):
        datasets.find(root, target=ANY)
    (root / "split.csv").write_text("path,labels\na.png,x|y\na.png,y | x\nb.png,\nb.png,x\n")
    with pytest.raises(BadData, match=r"two label sets: b\.png \(none in line 4, x in line 5\)"):
        datasets.find(root, target=ANY)


def test_two_tables_in_a_list_agree_or_are_refused(root):
    (root / "t.csv").write_text(table("value", VALUES))
    (root / "u.csv").write_text("path,value\nb.png,-2.00\n")
    kind, answers = found([str(root / "t.csv"), str(root / "u.csv")])
    assert kind == "value" and len(answers) == 4
    (root / "u.csv").write_text("path,value\nb.png,7\n")
    with pytest.raises(BadData, match=r"b\.png has two values in the tables: -2\.0, 7\.0"):
        datasets.find([str(root / "t.csv"), str(root / "u.csv")], target=ANY)
    (root / "u.csv").write_text(table("labels", LABELS))
    with pytest.raises(BadData, match="one kind in its tables, got numbers and labels"):
        datasets.find([str(root / "t.csv"), str(root / "u.csv")], target=ANY)


def test_folders_are_classes_or_numbers_where_asked_for(tmp_path):
    root = planted(tmp_path, *(f"{year}/{i}.png" for year in (1900, 2000) for i in range(2)))
    assert found(root)[0] == "class"
    assert set(found(root, Request(kind="value"))[1].values()) == {1900.0, 2000.0}
    with pytest.raises(BadData, match="needs a table with a column price, got none"):
        datasets.find(root, target=Request("price"))
    with pytest.raises(BadData, match=r"needs numbers, got classes\. Add --as class"):
        datasets.find(target=Request(kind="value"))


def test_a_sample_has_every_fifth_of_the_values(tmp_path):
    names = [f"{i:03}.png" for i in range(200)]
    planted(tmp_path, *names)
    lines = [f"{name},{i * i}" for i, name in enumerate(names)]
    (tmp_path / "split.csv").write_text("\n".join(["path,value", *lines]))
    sample = datasets.find(tmp_path, target=ANY, max_items=50)
    fifths = [int(item.path[:3]) // 40 for item in sample.items]
    assert [fifths.count(i) for i in range(5)] == [10] * 5 and sample.total == 200


def test_a_sample_of_labelled_images_is_of_that_size(tmp_path):
    names = [f"{i:03}.png" for i in range(60)]
    planted(tmp_path, *names)
    lines = [f"{name},{'x|y' if i % 2 else ''}" for i, name in enumerate(names)]
    (tmp_path / "split.csv").write_text("\n".join(["path,labels", *lines]))
    sample = datasets.find(tmp_path, target=ANY, max_items=20)
    assert len(sample.items) == 20 and {item.labels for item in sample.items} == {(), ("x", "y")}
