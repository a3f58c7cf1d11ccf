"""The user's vectors: names, order, what is missing, what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from imrep.comparison.data import own_vectors
from imrep.comparison.data.own_vectors import in_image_order, read, refuse_labels
from imrep.datasets import Dataset, Item
from imrep.datasets.sources import Refused
from imrep.errors import BadData, BadParameter
from imrep.registry import catalog

RNG = np.random.default_rng(0)


def dataset(paths):
    items = tuple(Item(path, source=Refused("in memory")) for path in paths)
    return Dataset("photos", items, total=len(items), all_items=items)


def decoded(found, unreadable=()):
    items = tuple(item for item in found.items if item.path not in unreadable)
    return SimpleNamespace(items=items, skipped=tuple((path, "broken") for path in unreadable))


def placed(source, paths, unreadable=()):
    found = dataset(paths)
    [own] = in_image_order(read({"mine": source}, None), found, decoded(found, unreadable))
    return own


def names(count):
    return [f"{'ab'[i % 2]}/{i:03}.png" for i in range(count)]


class TestNames:
    @pytest.mark.parametrize("name", ["mine", "a", "clip-vit_b32", "x2"])
    def test_names_that_are_taken(self, name):
        assert [table.name for table in read({name: np.eye(2)}, {name: 3})] == [name]

    @pytest.mark.parametrize("name", ["", "Mine", "2x", "a b", "_a", "a+b", "a:b", "ä", 3, None])
    def test_other_names_are_refused(self, name):
        with pytest.raises(BadParameter, match=r"names of vectors in a-z.*Call them mine\."):
            read({name: np.eye(2)}, None)

    def test_names_of_the_catalogue_and_of_rows_are_refused(self):
        for name in catalog.names():
            with pytest.raises(
                BadParameter, match=f"^{name} is a representation of imrep; call yours otherwise"
            ):
                read({name: np.eye(2)}, None)
        for name in ("noise", "together"):
            with pytest.raises(BadParameter, match=f"^{name} is a row of every report"):
                read({name: np.eye(2)}, None)

    @pytest.mark.parametrize("value", [0, -1, np.inf, np.nan, True, "12", None])
    def test_times_are_milliseconds(self, value):
        with pytest.raises(BadParameter, match=r"milliseconds above 0 as ms of a, got .* Try 12"):
            read({"a": np.eye(2)}, {"a": value})

    def test_times_are_of_vectors(self):
        with pytest.raises(BadParameter, match=r"ms of vectors, got 'b'.* vectors: a\."):
            read({"a": np.eye(2)}, {"b": 3})
        with pytest.raises(BadParameter, match=r"got 'b'.* vectors: none\."):
            read(None, {"b": 3})

    def test_vectors_have_names(self):
        with pytest.raises(BadParameter, match=r"vectors by name, got .*'mine': array"):
            read([np.eye(2)], None)
        assert read(None, None) == []


class TestPaths:
    def test_rows_come_into_the_order_of_the_images(self):
        paths, vectors = names(50), RNG.normal(size=(50, 3)).astype(np.float32)
        order = RNG.permutation(50)
        own = placed(([paths[i] for i in order], vectors[order]), paths)
        np.testing.assert_array_equal(own.vectors, vectors)
        assert (own.missing, own.notes, own.aligned) == ((), (), False)

    def test_images_that_cannot_be_read_need_no_row(self):
        paths = names(10)
        own = placed({path: [i, 1] for i, path in enumerate(paths[1:])}, paths, paths[:1])
        assert own.vectors[:, 0].tolist() == list(range(9)) and own.notes == ()
        own = placed({path: [i, 1] for i, path in enumerate(paths)}, paths, paths[:1])
        assert own.notes == ()  # its row belongs to an image, if to an unreadable one

    def test_a_sampled_image_finds_its_row_and_the_others_rows_are_no_strangers(self):
        paths = names(10)
        found = dataset(paths)
        sample = SimpleNamespace(items=found.items[::2], skipped=())
        [own] = in_image_order(
            read({"m": {p: [i] for i, p in enumerate(paths)}}, None), found, sample
        )
        assert own.vectors[:, 0].tolist() == [0, 2, 4, 6, 8] and own.notes == ()

    def test_matched_by_name_without_suffix_is_said(self):
        own = placed({"000": [1], "001": [2]}, names(2))
        assert own.notes == ("mine is matched by name without suffix.",)

    @pytest.mark.parametrize("count", [100, 1000, 3000])
    def test_one_in_a_hundred_and_at_most_twenty_may_be_missing(self, count):
        paths, allowed = names(count), min(20, count // 100)
        vectors = RNG.normal(size=(count, 2))
        own = placed((paths[allowed:], vectors[allowed:]), paths)
        assert own.missing == tuple(range(allowed))
        np.testing.assert_allclose(own.vectors[0], own.vectors[allowed:].mean(0), rtol=1e-3)
        assert own.notes[0].startswith(f"{allowed} image")
        assert all(path in own.notes[0] for path in paths[:allowed])
        assert "no vector in mine and left the scores of all: a/000.png" in own.notes[0]
        first = paths[0]
        with pytest.raises(
            BadData,
            match=rf"^mine has vectors for {count - allowed - 1:,} of {count:,} images; {first} "
            rf"has none\. Rows look like {paths[allowed + 1]}\.$",
        ):
            placed((paths[allowed + 1 :], vectors[allowed + 1 :]), paths)

    def test_of_other_files_is_refused(self):
        with pytest.raises(BadData, match=r"has vectors for 0 of 4 images.* look like x/1\.jpg\."):
            placed({f"x/{i}.jpg": [i] for i in range(1, 5)}, names(4))

    def test_rows_without_an_image_are_counted(self):
        paths = names(3)
        rows = {path: [i] for i, path in enumerate(paths)}
        own = placed(rows | {"x.png": [9]}, paths)
        assert own.notes == ("1 row of mine belongs to no image here.",)
        more = {f"x{i}.png": [9] for i in range(4)}
        own = placed(rows | more, paths)
        assert own.notes == ("4 rows of mine belong to no image here; is this the right folder?",)

    def test_a_path_twice_with_equal_vectors_is_kept_once(self):
        own = placed((["a/000.png", "./a/000.png", "b/001.png"], [[1], [1], [2]]), names(2))
        assert own.vectors.tolist() == [[1], [2]] and own.notes == ()
        with pytest.raises(BadData, match=r"two different vectors for \./a/000\.png\. Keep one"):
            placed((["a/000.png", "./a/000.png", "b/001.png"], [[1], [3], [2]]), names(2))

    def test_two_rows_for_one_image_and_two_images_for_one_row_are_refused(self):
        with pytest.raises(BadData, match=r"one row an image: 1\.png matches x/1\.png and y/1\.p"):
            placed({"x/1.png": [1], "y/1.png": [2], "x/2.png": [3]}, ["1.png", "2.png"])
        with pytest.raises(
            BadData, match=r"a/1\.png and b/1\.png both match 1\.png\. Give paths as in a/1\.png"
        ):
            placed({"1.png": [1], "2.png": [3]}, ["a/1.png", "b/1.png", "b/2.png"])


class TestAligned:
    def test_rows_are_those_of_all_found_images(self):
        own = placed(np.arange(5), names(5), unreadable=["a/002.png"])
        assert own.vectors.tolist() == [[0], [1], [3], [4]]
        assert own.aligned
        assert own.notes == (
            "mine has no paths: row 1 is taken for a/000.png, row 5 for a/004.png.",
        )

    def test_another_count_is_refused(self):
        paths = sorted(names(5))
        for rows, unreadable, part in (
            (4, ["a/002.png"], r"4 rows, photos has 5 images \(sorted by path, 1 of them unrea"),
            (6, [], r"6 rows, photos has 5 images \(sorted by path\)\. Give paths: a parquet with"),
        ):
            with pytest.raises(BadData, match=f"^mine has {part}"):
                placed(np.eye(rows), paths, unreadable)

    def test_the_order_of_a_programs_list_is_called_so(self):
        with pytest.raises(BadData, match=r"photos has 2 images \(in their order\)"):
            placed(np.eye(3), ["b.png", "a.png"])


def test_all_vectors_equal_are_refused():
    with pytest.raises(BadData, match=r"vectors that differ, got the same for all 4 images\. Make"):
        placed(np.ones((4, 3)), names(4))
    assert len(placed(np.ones((1, 3)), names(1)).vectors) == 1


class TestLabels:
    labels = np.repeat([0, 1, 2], 10)

    def refuse(self, column, labels=labels, columns=()):
        table = SimpleNamespace(name="mine", columns=columns)
        vectors = np.column_stack([RNG.normal(size=len(column)), column]).astype(np.float32)
        own = own_vectors.OwnVectors(table, vectors, (), ())
        classes = tuple(map(str, np.unique(labels)))
        data = SimpleNamespace(rows=np.arange(len(labels)), labels=labels, classes=classes)
        scored = type("Data", (SimpleNamespace,), {"__len__": lambda d: len(d.labels)})
        refuse_labels([own], scored(**vars(data)))

    def test_a_column_that_is_the_class_is_refused(self):
        for column in (self.labels, -5.0 * self.labels, 2 * self.labels + np.arange(30) % 2):
            with pytest.raises(BadData, match=r"^column 2 of mine is the label\. Leave it out\.$"):
                self.refuse(column)
        with pytest.raises(BadData, match="column y of mine"):
            self.refuse(self.labels, columns=("x", "y"))

    def test_columns_that_are_not_the_class_pass(self):
        self.refuse(np.ones(30))
        self.refuse(np.arange(30))  # each value in one class, but too many of them
        self.refuse((self.labels == 1).astype(float))
        self.refuse(np.where(np.arange(30) == 0, 1, self.labels))

    def test_few_images_prove_nothing(self):
        self.refuse(np.repeat([0, 1, 2], 4), np.repeat([0, 1, 2], 4))
        refuse_labels([SimpleNamespace()], None)
