"""The Embedder among scikit-learn's own: pipelines, searches, clones, names, files of all kinds."""

import io
import pickle

import joblib
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_union
from sklearn.preprocessing import StandardScaler

import imrep
from imrep.base import Fitted
from imrep.codes import Vector
from imrep.errors import BadFile, BadImage, BadParameter, UnknownName
from imrep.registry.cards import Card
from imrep.sklearn.embedder import Embedder

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (12, 9, 11, 3), dtype=np.uint8)
BYTES[6:] //= 2  # the second class is darker
LABELS = np.repeat([0, 1], 6)
WANTED = imrep.get("pixels:side=4").embed(torch.from_numpy(BYTES).permute(0, 3, 1, 2) / 255).numpy()


class Seen(Fitted[Vector]):
    """Remembers the mean of what it was fitted to."""

    card = Card(title="Seen", family="tests", cite="")
    centre: torch.Tensor

    def __init__(self, *, scale: int = 1) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("centre", torch.full((3,), torch.nan))

    @property
    def fitted(self):
        return bool(self.centre.isfinite().all())

    def fit_codes(self, codes):
        self.centre = torch.cat([code.values for code in codes]).mean(0)

    def encode(self, image):
        return Vector(self.scale * image.mean((2, 3)))

    def pool(self, code):
        self._need_fit()
        return code.values - self.centre


def pipeline(representation="pixels:side=4"):
    steps = [
        ("embedder", Embedder(representation)),
        ("scale", StandardScaler()),
        ("ridge", RidgeClassifier()),
    ]
    return Pipeline(steps)


def files(folder):
    paths = [folder / f"{i}.png" for i in range(len(BYTES))]
    for path, pixels in zip(paths, BYTES, strict=True):
        Image.fromarray(pixels).save(path)
    return paths


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(BYTES, id="one array of bytes"),
        pytest.param(BYTES / 255, id="one array of fractions"),
        pytest.param(BYTES.astype(np.uint16) * 257, id="one array of 16 bits"),
        pytest.param(list(BYTES), id="a list of arrays"),
        pytest.param(torch.from_numpy(BYTES).permute(0, 3, 1, 2), id="one tensor of bytes"),
        pytest.param(torch.from_numpy(BYTES).permute(0, 3, 1, 2).double() / 255, id="one tensor"),
        pytest.param([torch.from_numpy(x).permute(2, 0, 1) / 255 for x in BYTES], id="tensors"),
        pytest.param(
            [torch.from_numpy(x).permute(2, 0, 1)[None] / 255 for x in BYTES], id="batches of one"
        ),
        pytest.param([Image.fromarray(x) for x in BYTES], id="PIL images"),
        pytest.param((Image.fromarray(x) for x in BYTES), id="an iterator"),
        pytest.param(
            [Image.fromarray(x).convert("RGBA") for x in BYTES], id="PIL images with alpha"
        ),
    ],
)
def test_images_of_all_kinds(images):
    made = Embedder("pixels:side=4", batch=5).fit_transform(list(images))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, WANTED, atol=1e-5)


def test_files(tmp_path):
    paths = files(tmp_path)
    embedder = Embedder("pixels:side=4").fit(paths)
    np.testing.assert_allclose(embedder.transform(paths), WANTED, atol=1e-5)
    np.testing.assert_allclose(
        embedder.transform(np.array(list(map(str, paths)))), WANTED, atol=1e-5
    )


def test_size_is_the_canvas_of_files(tmp_path):
    from imrep import images

    [path, *_] = files(tmp_path)
    canvas, _ = images.square(path, 6)
    wanted = imrep.get("pixels:side=4").embed(torch.from_numpy(canvas).permute(2, 0, 1)[None] / 255)
    made = Embedder("pixels:side=4", size=6).fit([path]).transform([path])
    np.testing.assert_allclose(made, wanted, atol=1e-6)


def test_a_pil_image_is_read_as_its_file_is(tmp_path):
    turned = Image.fromarray(BYTES[0])
    exif = turned.getexif()
    exif[0x0112] = 6  # the camera was held upright
    file = io.BytesIO()
    turned.save(file, "JPEG", quality=95, exif=exif)
    (tmp_path / "turned.jpg").write_bytes(file.getvalue())
    embedder = Embedder("pixels:side=4").fit([tmp_path / "turned.jpg"])
    opened = embedder.transform([Image.open(tmp_path / "turned.jpg")])
    np.testing.assert_allclose(opened, embedder.transform([tmp_path / "turned.jpg"]), atol=1e-5)


def test_sizes_and_channels_may_differ():
    mixed = [BYTES[0], BYTES[1, :5], BYTES[2, ..., 0], BYTES[3]]
    made = Embedder("pixels:side=4").fit_transform(mixed)
    np.testing.assert_allclose(made[[0, 3]], WANTED[[0, 3]], atol=1e-5)
    assert made.shape == (4, 48)


@pytest.mark.parametrize(
    ("images", "error", "reason"),
    [
        ("cat.jpg", BadImage, r"needs several images, got 'cat\.jpg'\. Try \[x\]"),
        (BYTES.reshape(12, -1), BadImage, r"got an array \(12, 297\)\. Try x\.reshape"),
        ([], BadImage, "needs at least one image"),
        ([3], BadImage, "paths, bytes, PIL images, arrays or tensors, got an int"),
        (BYTES.astype(int), BadImage, r"got torch\.int64\. Try x / 255"),
        (BYTES * 1.0, BadImage, r"pixels needs values in \[0, 1\]"),
        (["absent.png"], BadFile, r"absent\.png"),
    ],
)
def test_what_is_no_image_is_named(images, error, reason):
    with pytest.raises(error, match=reason):
        Embedder("pixels:side=4").fit(BYTES).transform(images)


def test_a_wrong_spec_is_named_by_fit_and_not_before():
    embedder = Embedder("pixel")
    with pytest.raises(UnknownName, match="Did you mean 'pixels'"):
        embedder.fit(BYTES)
    with pytest.raises(BadParameter, match="no parameter 'bins'"):
        Embedder("pixels:bins=3").fit(BYTES)


def test_unfitted_says_so_as_scikit_learn_does():
    with pytest.raises(NotFittedError):
        Embedder("pixels").transform(BYTES)


def test_names_of_the_columns():
    embedder = Embedder("pixels:side=2").fit(BYTES)
    assert list(embedder.get_feature_names_out()) == [f"pixels{i}" for i in range(12)]
    both = make_union(Embedder("pixels:side=1"), Embedder("pixels:side=1,gray=true")).fit(BYTES)
    assert len(both.get_feature_names_out()) == both.transform(BYTES).shape[1]


def test_a_data_frame_on_request():
    pandas = pytest.importorskip("pandas")
    frame = Embedder("pixels:side=4").set_output(transform="pandas").fit_transform(BYTES)
    assert isinstance(frame, pandas.DataFrame) and frame.columns[1] == "pixels1"
    np.testing.assert_allclose(frame.to_numpy(), WANTED, atol=1e-5)


def test_clone_and_params():
    embedder = Embedder("pixels:side=4", size=32, batch=3)
    assert clone(embedder).get_params() == embedder.get_params()
    instance = Embedder(imrep.get("pixels:side=4"))
    copied = clone(instance).set_params(representation__side=2)
    assert (copied.representation.side, instance.representation.side) == (2, 4)


def test_set_params_reaches_into_a_spec_which_stays_one():
    embedder = Embedder("hog", size=32)
    assert embedder.set_params(representation__orientations=12, batch=3) is embedder
    assert (embedder.representation, embedder.batch) == ("hog:orientations=12", 3)
    embedder.set_params(representation="pixels", representation__side=4)
    np.testing.assert_allclose(embedder.fit_transform(BYTES), WANTED, atol=1e-5)


def test_set_params_reaches_the_views_of_a_sum():
    embedder = Embedder("pixels+histogram:bins=4")
    embedder.set_params(representation__pixels__side=2, representation__histogram__bins=3)
    assert embedder.representation == "pixels:side=2+histogram:bins=3"
    instance = Embedder(imrep.get("pixels+histogram:bins=4"))
    instance.set_params(representation__pixels__side=2)
    assert instance.representation.spec == "pixels:side=2+histogram:bins=4"
    assert instance.get_params()["representation__pixels__side"] == 2


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"representation__orientation": 3}, "no parameter 'orientation'.*mean 'orientations'"),
        ({"representation__orientations": "3"}, "orientations to be a whole number, got '3'"),
        ({"representation__orientations": [3]}, r"orientations to be a whole number, got \[3\]"),
        ({"representation__orientations": 0}, "orientations"),
    ],
)
def test_a_wrong_parameter_of_a_spec_changes_nothing(params, reason):
    embedder = Embedder("hog:cell=4")
    with pytest.raises(BadParameter, match=reason):
        embedder.set_params(**params)
    assert embedder.representation == "hog:cell=4"


@pytest.mark.parametrize("kind", [float, np.float32, int])
def test_digits_are_to_be_divided_not_clamped(kind):
    digits = np.arange(17).repeat(16)[:256].reshape(4, 8, 8).astype(kind)
    with pytest.raises(BadImage, match=r"Try x / 16, or by what stands for white\."):
        Embedder("hog:cell=4").fit_transform(digits)
    assert Embedder("hog:cell=4").fit_transform(digits / 16).shape[0] == 4


def test_fit_keeps_the_parameters_and_forgets_the_last_fit():
    embedder = Embedder(Seen(), batch=5)
    before = embedder.get_params()
    assert embedder.fit(BYTES[6:]) is embedder and embedder.get_params() == before
    again = embedder.fit(BYTES[:6]).transform(BYTES)
    np.testing.assert_array_equal(again, Embedder(Seen(), batch=5).fit(BYTES[:6]).transform(BYTES))


def test_a_subset_gives_the_rows_of_the_complete_data():
    embedder = Embedder("hog", batch=5).fit(BYTES)
    whole, some = embedder.transform(BYTES), embedder.transform(BYTES[[7, 2]])
    np.testing.assert_allclose(some, whole[[7, 2]], atol=1e-6)


def test_fit_leaves_the_given_representation_alone():
    given = Seen()
    embedder = Embedder(given).fit(BYTES)
    assert given.needs_fit and not embedder.representation_.needs_fit


def test_what_learns_from_images_learns_anew_in_each_fit():
    given = Seen()
    given.fit(torch.zeros(1, 3, 4, 4))
    first, second = Embedder(given).fit(BYTES[:6]), Embedder(given).fit(BYTES[6:])
    assert first.transform(BYTES[:6]).mean() == pytest.approx(0, abs=1e-6)
    assert second.transform(BYTES[6:]).mean() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), None])
def test_pickle_and_joblib(tmp_path, copied):
    model = pipeline().fit(BYTES, LABELS)
    if copied is None:
        joblib.dump(model, tmp_path / "model.joblib")
        again = joblib.load(tmp_path / "model.joblib")
    else:
        again = copied(model)
    np.testing.assert_array_equal(again.predict(BYTES), model.predict(BYTES))


def test_search_over_specs():
    specs = ["pixels:side=1", "pixels:side=4", "pixels:side=2+pixels:side=1"]
    search = GridSearchCV(pipeline(), {"embedder__representation": specs}, cv=2)
    search.fit(BYTES, LABELS)
    assert search.best_params_["embedder__representation"] in specs
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("sides", [[1, 4], np.arange(1, 3)])
def test_search_over_the_parameters_of_an_instance(sides):
    model = pipeline(imrep.get("pixels"))
    search = GridSearchCV(model, {"embedder__representation__side": sides}, cv=2)
    search.fit(BYTES, LABELS)
    best = search.best_estimator_.named_steps["embedder"]
    assert best.representation_.side == search.best_params_["embedder__representation__side"]
    assert model.named_steps["embedder"].representation.side == 32


def test_cross_validation_on_threads():
    with joblib.parallel_config("threading", n_jobs=2):
        scores = cross_val_score(pipeline(), BYTES, LABELS, cv=3, error_score="raise")
    assert scores.mean() > 0.9


@pytest.mark.slow
def test_cross_validation_in_processes():
    scores = cross_val_score(pipeline(), BYTES, LABELS, cv=2, n_jobs=2, error_score="raise")
    assert scores.mean() > 0.9
