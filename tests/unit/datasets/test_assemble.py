"""Folders and archives as data sets: which of several forms counts, and notes on the rest."""

import io
import shutil
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from imrep.datasets import assemble
from imrep.errors import BadData, BadFile


def png():
    file = io.BytesIO()
    Image.new("L", (2, 2)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def root(tmp_path):
    """An empty folder, and a function that fills it."""
    folder = tmp_path / "set"
    folder.mkdir()
    return folder


def planted(root, *names, **tables):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png())
    for name, text in tables.items():
        (root / f"{name}.csv").write_text(text)
    return root


def rows(path, count, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(arrow.table({"image": [png()] * count, **columns}), path)


def labels(dataset):
    return {item.path: item.label for item in dataset.items}


def as_folder_and_archive(root):
    """The data set of the folder, after a check that its archive gives the same."""
    shutil.make_archive(str(root), "zip", root)
    folder, archive = assemble.of_folder(root), assemble.of_archive(root.with_suffix(".zip"))
    assert labels(folder) == labels(archive)
    return folder


class TestTables:
    def test_split_csv_decides_over_folders_and_unlisted_files_have_no_label(self, root):
        planted(root, "x/1.png", "y/2.png", split="path,label\nx/1.png,cat\n")
        dataset = as_folder_and_archive(root)
        assert labels(dataset) == {"x/1.png": "cat", "y/2.png": None}
        assert "1 file without a line in split.csv without a label: y/2.png." in dataset.notes

    def test_a_table_in_a_subfolder_names_files_there(self, root):
        planted(root, "a/1.png", "b/1.png")
        for name, label in {"a": "cat", "b": "dog"}.items():
            (root / name / "split.csv").write_text(f"path,label\n1.png,{label}\n")
        assert labels(as_folder_and_archive(root)) == {"a/1.png": "cat", "b/1.png": "dog"}

    def test_metadata_csv_counts_only_where_it_names_pictures(self, root):
        planted(root, "x/1.png", "y/2.png", metadata="path,label\n1/x.gif,cat\n")
        dataset = as_folder_and_archive(root)
        assert labels(dataset) == {"x/1.png": "x", "y/2.png": "y"}
        assert any("1 table not used: metadata.csv." in note for note in dataset.notes)
        planted(root, metadata="path,label\nx/1.png,cat\n")
        assert labels(as_folder_and_archive(root)) == {"x/1.png": "cat", "y/2.png": None}

    def test_a_table_of_another_name_is_named_with_what_to_do(self, root, tmp_path):
        planted(root, "x/1.png", "y/2.png", classes="path,label\nx/1.png,cat\n")
        remedy = {"folder": "Give one as DATA, or call it", "archive": "Unpack the archive to give"}
        as_folder_and_archive(root)
        for dataset, kind in (
            (assemble.of_folder(root), "folder"),
            (assemble.of_archive(tmp_path / "set.zip"), "archive"),
        ):
            assert any("classes.csv" in n and remedy[kind] in n for n in dataset.notes)

    def test_a_table_alone_has_labels_from_folders_if_it_has_none(self, root):
        planted(root, "x/1.png", "y/2.png", list="path\nx/1.png\ny/2.png\n")
        assert labels(assemble.of_table(root / "list.csv")) == {"x/1.png": "x", "y/2.png": "y"}
        planted(root, empty="path\n")
        with pytest.raises(BadData, match=r"empty\.csv needs at least one path, got none\. Add"):
            assemble.of_table(root / "empty.csv")
        with pytest.raises(BadData, match=r"^gone\.csv cannot be read as a table: "):
            assemble.of_table(root / "gone.csv")

    def test_a_csv_or_parquet_of_paths_is_a_table(self, root):
        planted(root, t="path,group\na,1\n")
        parquet.write_table(arrow.table({"path": ["a"], "group": [1]}), root / "t.parquet")
        for name in ("t.csv", "t.parquet"):
            assert assemble.table(root / name).names == ("path", "group")
        rows(root / "i.parquet", 1)
        with pytest.raises(BadData, match=r"i\.parquet needs a column path, got images"):
            assemble.table(root / "i.parquet")
        with pytest.raises(BadFile):
            assemble.table(root / "gone.csv")


class TestForms:
    @pytest.mark.parametrize(
        ("pictures", "count", "form"),
        [
            (1, 2, "rows"), (3, 4, "rows"), (2, 20, "rows"), (4, 39, None), (4, 40, "rows"),
            (2, 2, None), (2, 1, "pictures"), (4, 3, "pictures"), (40, 4, "pictures"), (5, 4, None),
        ],
    )  # fmt: skip
    def test_the_few_give_way_to_the_many_or_both_are_refused(self, root, pictures, count, form):
        planted(root, *(f"{i}.png" for i in range(pictures)))
        rows(root / "data" / "t.parquet", count)
        if form is None:
            with pytest.raises(BadData, match=r"one form, got .*Give .*set/data/\*\.parquet or"):
                assemble.of_folder(root)
            return
        dataset = as_folder_and_archive(root)
        assert len(dataset.items) == (count if form == "rows" else pictures)
        [note] = [note for note in dataset.notes if "left out" in note]
        assert ("beside the parquet files" in note) is (form == "rows")

    def test_shards_are_one_set_and_a_repeated_note_is_given_once(self, root):
        for i in range(3):
            rows(root / f"s{i}.parquet", 2, kind=["a", "b"])
        dataset = as_folder_and_archive(root)
        assert list(labels(dataset))[:3] == ["s0/000000", "s0/000001", "s1/000000"]
        assert sum("no column of labels" in note for note in dataset.notes) == 1
        assert "3 parquet files are taken together, whatever their split." in dataset.notes

    def test_tables_of_images_and_of_paths_are_not_mixed(self, root):
        rows(root / "i.parquet", 2)
        parquet.write_table(arrow.table({"path": ["a.png"]}), root / "p.parquet")
        files = [root / "i.parquet", root / "p.parquet"]
        with pytest.raises(BadData, match="either images or paths in its tables, got both"):
            assemble.of_parquet(files, root, "tables")
        planted(root, "a.png")
        assert labels(assemble.of_parquet(files[1:], root, "tables")) == {"a.png": None}

    def test_a_damaged_table_beside_pictures_is_a_file_that_cannot_be_read(self, root):
        planted(root, "a/1.png", "b/2.png")
        (root / "t.parquet").write_bytes(b"PAR1")
        [damaged] = [item for item in as_folder_and_archive(root).items if item.refused]
        assert damaged.path == "t.parquet" and "cannot be read as parquet" in damaged.stamp


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("t.csv", r"got 1 table without images: t\.csv\. Give one of them as DATA\."),
        ("z.zip", r"got 1 archive inside: z\.zip\. Give one of them as DATA, or unpack it\."),
        ("n.txt", r"got 1 file of other kinds: n\.txt\. Check the path\."),
        ("README", r"got 1 file of other kinds: README\."),
        (".hidden.png", r"got nothing\. Check the path\."),
    ],
)
def test_a_folder_without_images_says_what_there_is(root, name, reason):
    (root / name).write_text("x")
    with pytest.raises(BadData, match=f"^set needs at least one image, {reason}"):
        assemble.of_folder(root)


def test_a_list_of_skipped_files_is_an_output(root):
    planted(root, "a/1.png", "b/2.png", mine="path,reason\nx,y\n", other="path,label\nx,y\n")
    assert assemble.is_own_table(assemble.File(root / "mine.csv"), "mine.csv")
    assert not assemble.is_own_table(assemble.File(root / "other.csv"), "other.csv")
    assert not assemble.is_own_table(assemble.File(Path("gone.csv")), "gone.csv")
    assert any(
        "output of imrep left out: mine.csv" in note for note in as_folder_and_archive(root).notes
    )
