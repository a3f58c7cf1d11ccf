import html
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import imrep
from imrep.errors import BadData, BadImage, BadParameter, ExtraNeeded, UnknownName
from imrep.testing import photo

ARRAYS = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3), np.uint8)
LABELS = list("ababab")


@pytest.fixture
def paths(tmp_path):
    """Files in folders of their classes, listed in no order."""
    names = ["b/1.png", "a/0.png", "b/3.png", "a/2.png", "a/4.png", "b/5.png"]
    for name, array in zip(names, ARRAYS, strict=True):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(tmp_path / "data" / name)
    return [tmp_path / "data" / name for name in names]


def vectors_of(spec, side=8):
    """Vectors of the arrays at a side, one by one."""
    from imrep import images

    squares = [images.square(Image.fromarray(array), side)[0] for array in ARRAYS]
    return imrep.get(spec).embed(images.batch(np.stack(squares))).numpy()


IMAGE = photo(32, 32, batch=1)
DOORS = {
    "embed": lambda rep, _: imrep.embed(ARRAYS, rep, size=8).vectors.tolist(),
    "picture": lambda rep, _: imrep.picture(IMAGE, rep).tolist(),
    "invert": lambda rep, _: imrep.invert(IMAGE, rep, iterations=2).psnr,
    "Embedder": lambda rep, _: imrep.Embedder(rep).fit_transform(ARRAYS).tolist(),
    "compare": lambda rep, out: imrep.compare((ARRAYS, LABELS), [rep], out, size=8).pick,
}


class TestOneGrammar:
    """A spec in any letter case, an instance, and a sum of either mean the same everywhere."""

    @pytest.mark.parametrize("spec", ["pixels:side=4", "pixels:side=4+histogram:bins=4,soft=true"])
    @pytest.mark.parametrize("door", DOORS)
    def test_a_spec_and_an_instance_mean_the_same(self, door, spec, tmp_path):
        call = DOORS[door]
        expected = call(spec, tmp_path / "0")
        assert call(imrep.get(spec), tmp_path / "1") == expected
        assert call(spec.replace("pixels", "PIXELS"), tmp_path / "2") == expected

    def test_match_takes_either(self):
        image = photo(96, 96, batch=1)
        expected = imrep.match(image, image, "corner").pairs
        assert imrep.match(image, image, imrep.get("corner")).pairs == expected
        assert imrep.match(image, image, "Corner").pairs == expected

    @pytest.mark.parametrize("door", DOORS)
    def test_a_wrong_name_is_offered_the_nearest(self, door, tmp_path):
        for spec in ("pixel", "PIXEL:side=4", "hog+Pixel"):
            with pytest.raises(UnknownName, match="Did you mean 'pixels'"):
                DOORS[door](spec, tmp_path / "x")

    @pytest.mark.parametrize("wrong", [5, None, ["hog"], type(imrep.get("pixels"))])
    @pytest.mark.parametrize("door", ["embed", "picture", "invert", "Embedder"])
    def test_a_wrong_type_is_named(self, door, wrong, tmp_path):
        if door == "embed" and isinstance(wrong, list):
            wrong = [5]  # it takes several
        with pytest.raises(BadParameter, match=rf"^{door} needs a (spec|representation), .*got"):
            DOORS[door](wrong, tmp_path / "x")


class TestEmbed:
    def test_arrays_tensors_and_pictures_give_the_same_vectors(self):
        expected = vectors_of("pixels:side=4")
        tensors = torch.from_numpy(ARRAYS).permute(0, 3, 1, 2)
        pictures = [Image.fromarray(array) for array in ARRAYS]
        for data in (ARRAYS, list(ARRAYS), tensors, tensors / 255, pictures, (ARRAYS, LABELS)):
            embedding = imrep.embed(data, "pixels:side=4", size=8)
            assert embedding.vectors.dtype == np.float32
            np.testing.assert_allclose(embedding.vectors, expected, atol=1e-6)

    def test_labels_and_paths_stand_beside(self):
        embedding = imrep.embed((ARRAYS, LABELS), "pixels:side=2")
        assert embedding.labels == tuple(LABELS) and embedding.paths[1] == "000001"
        assert len(embedding) == 6 and not embedding.skipped

    def test_a_list_of_paths_keeps_its_order(self, paths):
        embedding = imrep.embed(paths, "pixels:side=4", size=8)
        np.testing.assert_allclose(embedding.vectors, vectors_of("pixels:side=4"), atol=1e-6)
        assert [path.rpartition("/")[2] for path in embedding.paths] == [p.name for p in paths]

    def test_a_folder_has_its_classes_and_equals_the_command(self, paths, tmp_path):
        from click.testing import CliRunner

        from imrep.cli import main

        embedding = imrep.embed(tmp_path / "data", "pixels:side=4", size=8)
        assert embedding.labels == tuple("aaabbb")
        out = tmp_path / "v.npz"
        command = ["embed", str(tmp_path / "data"), "pixels:side=4", "-o", str(out), "--size", "8"]
        assert not CliRunner().invoke(main, command).exit_code
        np.testing.assert_array_equal(np.load(out)["vectors"], embedding.vectors)

    def test_files_that_cannot_be_read_have_no_row(self, paths):
        paths[2].write_text("no image")
        embedding = imrep.embed(paths, "pixels:side=4", size=8)
        expected = np.delete(vectors_of("pixels:side=4"), 2, 0)
        np.testing.assert_allclose(embedding.vectors, expected, atol=1e-6)
        [(path, reason)] = embedding.skipped
        assert path.endswith("3.png") and reason
        assert repr(embedding) == "Embedding(5 × 48 of pixels:side=4, 1 skipped)"

    def test_none_keeps_the_size(self):
        embedding = imrep.embed(ARRAYS, "pixels:side=4", size=None)
        np.testing.assert_allclose(embedding.vectors, vectors_of("pixels:side=4", 12), atol=1e-6)

    def test_numpy_takes_it_as_an_array(self):
        embedding = imrep.embed(ARRAYS, "pixels:side=2")
        assert np.asarray(embedding).shape == (6, 12)
        assert np.asarray(embedding, np.float64).dtype == np.float64
        assert np.asarray(embedding) is not np.array(embedding)

    def test_an_instance_that_needs_fitting_is_not_changed(self):
        rep = imrep.get("sift:words=2")
        images = [(255 * photo(64, 64, batch=1)[0].permute(1, 2, 0).numpy()).astype(np.uint8)] * 4
        embedding = imrep.embed(images, rep)
        assert rep.needs_fit and not embedding.representation.needs_fit

    def test_a_function_of_the_callers_is_a_representation(self):
        embedding = imrep.embed(ARRAYS, lambda x: x.mean((2, 3)))
        assert embedding.vectors.shape == (6, 3)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"size": 0}, "embed needs size from 1 to"),
            ({"size": "x"}, "embed needs size to be a number, got 'x'"),
            ({"batch": 0}, "embed needs batch from 1 to"),
            ({"threads": 0}, "embed needs threads from 1 to"),
        ],
    )
    def test_an_option_out_of_range_is_refused(self, options, reason):
        with pytest.raises(BadParameter, match=reason):
            imrep.embed(ARRAYS, "pixels", **options)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ([], "needs to name at least one image file, got none"),
            (3, "embed needs a path, a list of pictures"),
            ((ARRAYS, ["a"]), "embed needs one label for each of 6 pictures, got 1"),
            (ARRAYS * 1.0, r"embed needs floats in \[0, 1\], got .*Try x / 255"),
            (ARRAYS.astype(int) % 17, r"embed needs floats .*got int64\. Try x / 16"),
            ("nothing", "nothing"),
        ],
    )
    def test_what_is_no_data_is_named(self, data, reason):
        with pytest.raises(BadData, match=reason):
            imrep.embed(data, "pixels")


def test_results_are_printed_without_tensors():
    image = photo(96, 96, batch=1)
    match = imrep.match(image, image, "corner")
    for result in (imrep.invert(image, "laplacian"), match, imrep.embed(ARRAYS, "pixels:side=1")):
        assert "tensor" not in repr(result) and "array" not in repr(result)
        assert "\n" not in repr(result) and len(repr(result)) < 400


def test_a_picture_needs_no_encode():
    image = photo(32, 32)
    rep = imrep.get("hog")
    assert torch.equal(imrep.picture(image, "hog"), rep.picture(rep.encode(image), image))


class TestFormerNames:
    """What had another name or order works for one release, with a warning that gives the new."""

    def test_invert_took_the_spec_first(self):
        image = photo(batch=1)
        with pytest.warns(FutureWarning, match="takes the image first") as caught:
            inversion = imrep.invert("laplacian", image)
        assert inversion.method == "exact" and caught[0].filename == __file__
        with pytest.warns(FutureWarning, match="takes the image first"):
            imrep.invert(imrep.get("laplacian"), image)
        with pytest.warns(FutureWarning, match="'spec' is now called 'representation'"):
            imrep.invert(image=image, spec="laplacian")

    def test_match_had_other_names(self):
        image = photo(96, 96, batch=1)
        with pytest.warns(FutureWarning) as caught:
            imrep.match(first=image, second=image, spec="corner")
        pairs = {"first": "query", "second": "target", "spec": "representation"}
        assert {str(warning.message).partition(";")[0] for warning in caught} == {
            f"match: the parameter {old!r} is now called {new!r}" for old, new in pairs.items()
        }

    def test_compare_called_its_limit_most(self, paths, tmp_path):
        with pytest.warns(FutureWarning, match="'most' is now called 'max_images'") as caught:
            comparison = imrep.compare(paths, ["pixels"], tmp_path / "r", size=8, most=4)
        assert caught[0].filename == __file__ and comparison.rows
        with pytest.raises(BadParameter, match="takes 'max_images', formerly 'most', once"):
            imrep.compare((ARRAYS, LABELS), most=4, max_images=4)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    out = tmp_path_factory.mktemp("compared") / "r"
    return imrep.compare((ARRAYS, LABELS), ["pixels:side=2", "pixels:side=4"], out, size=8)


class TestComparison:
    def test_it_is_a_data_frame_on_request(self, comparison, monkeypatch):
        pandas = SimpleNamespace(DataFrame=list)
        monkeypatch.setitem(sys.modules, "pandas", pandas)
        assert comparison.to_pandas() == comparison.table()

    def test_without_pandas_it_says_what_to_install(self, comparison, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ExtraNeeded, match=r"Comparison\.answers needs the package pandas"):
            comparison.answers()
        for result in (comparison, imrep.embed(ARRAYS, "pixels:side=2")):
            with pytest.raises(ExtraNeeded, match=r"to_pandas needs the package pandas\. pip inst"):
                result.to_pandas()

    def test_an_embedding_is_a_data_frame_too(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
        frame = imrep.embed((ARRAYS, LABELS), "pixels:side=1").to_pandas()
        assert list(frame) == ["path", "label", "pixels0", "pixels1", "pixels2"]
        assert frame["label"] == tuple(LABELS)

    def test_answers_are_a_data_frame(self, comparison, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
        frame = comparison.answers()
        spec = "pixels:side=2"
        fields = ("answer", "probability", "margin")
        assert list(frame)[:5] == ["path", "label", *(f"{spec}.{field}" for field in fields)]
        assert {f"together.{field}" for field in fields} <= set(frame) or len(LABELS) < 60
        wrong = frame[f"{spec}.answer"] != frame["label"]
        assert ((frame[f"{spec}.margin"] < 0) <= wrong).all()

    def test_without_classes_there_are_no_answers(self, tmp_path):
        comparison = imrep.compare(ARRAYS, ["pixels:side=2"], tmp_path / "r", size=8)
        with pytest.raises(BadData, match="answers needs images of two classes"):
            comparison.answers()

    def test_a_notebook_shows_the_sentence_and_the_table(self, comparison):
        page = comparison._repr_html_()
        assert html.escape(comparison.sentence) in page
        assert page.count("<tr>") == 3 and "<th>spec</th>" in page and "pixels:side=4" in page

    def test_its_repr_is_the_sentence_the_table_and_the_report(self, comparison):
        lines = repr(comparison).splitlines()
        assert lines[0] == comparison.sentence and lines[-1] == str(comparison.report)
        assert len(lines) == 4


def test_invert_says_how_and_how_well():
    found = imrep.invert(photo(batch=1), "laplacian")
    assert found.method == "exact"
    assert found.psnr > 100
    torch.testing.assert_close(found.image, photo(batch=1), atol=1e-5, rtol=0)


def test_invert_takes_one_image():
    with pytest.raises(BadImage, match="one image at a time, got a batch of 2"):
        imrep.invert(photo(batch=2), "laplacian")


def test_a_misspelt_option_is_an_error():
    with pytest.raises(TypeError, match="sized"):
        imrep.compare(sized=64)


def test_a_chain_is_its_functions_in_order():
    from imrep.edit.operations.stretch import stretch
    from imrep.edit.operations.unsharp import unsharp

    wanted = unsharp(stretch(photo(), low=5), alpha=0.3)
    found = imrep.apply_edits(photo(), "stretch:low=5, unsharp:alpha=0.3")
    torch.testing.assert_close(found, wanted, atol=0, rtol=0)
    with pytest.raises(UnknownName, match="Did you mean 'stretch'"):
        imrep.apply_edits(photo(), "stretched")
    for chain in ("decode, stretch", "stretch, compress"):
        with pytest.raises(BadParameter, match=r"from images to images, got .*Use imrep\.pack"):
            imrep.apply_edits(photo(), chain)


def test_an_old_name_works_and_warns():
    with pytest.warns(FutureWarning, match="edited is called apply_edits now"):
        packed = imrep.edited(photo(batch=1), "stretch, compress")
    assert 0.1 < packed.bits_per_pixel < 24
    with (
        pytest.warns(FutureWarning),
        pytest.raises(BadParameter, match="decode needs a packed image, got an image"),
    ):
        imrep.edited(photo(), "decode, stretch")


def test_odd_pictures_are_listed_without_labels_too(tmp_path):
    plain = ARRAYS.copy()
    plain[4] //= 20
    found = imrep.compare(plain, ["pixels:side=4"], tmp_path, size=8)
    assert found.odd == 1
    lines = [line for line in found.pictures() if line["issue"] == "dark"]
    assert [(line["path"], line["threshold"]) for line in lines] == [("000004", 0.3)]
    assert 0 < lines[0]["value"] < 0.06
    imrep.compare(ARRAYS, ["pixels:side=4"], tmp_path, size=8)
    assert found.pictures() == []
