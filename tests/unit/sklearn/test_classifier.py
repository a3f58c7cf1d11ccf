"""The classifier as scikit-learn expects it, and beside what judges representations."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from imrep import Classifier, Embedder
from imrep.comparison.data.folds import split
from imrep.comparison.probes.classifier import cross_validate
from imrep.errors import BadParameter
from imrep.estimators.kernels import KERNELS, Kernels
from imrep.estimators.model import fit
from imrep.estimators.targets import Targets


def classes(sizes=(40, 40, 40), d=12, apart=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    z = rng.normal(size=(len(labels), d)) + apart * rng.normal(size=(len(sizes), d))[labels]
    order = rng.permutation(len(labels))
    return z[order].astype(np.float32), labels[order]


CHECKS = [(check, estimator) for estimator, check in estimator_checks_generator(Classifier())]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("check", "estimator"), CHECKS, ids=[str(getattr(c, "func", c).__name__) for c, _ in CHECKS]
)
def test_scikit_learn_accepts_it(check, estimator):
    check(estimator)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [1, 3])
def test_it_scores_as_the_judge_does(kernel, size):
    """The judge's mean and scale are those of all images; here there are no others."""
    z, labels = classes()
    groups = np.arange(120) // size
    model = Classifier([kernel]).fit(z, labels, groups)
    kernels, every = Kernels(z, "it"), np.arange(120)
    best = fit(kernels, every, Targets.of(labels, groups, 3), among=[kernel]).best
    expected = best.scores(kernels.block(kernel, every, every))
    if model.discriminant_ is not None:
        expected = model.discriminant_(expected)
    np.testing.assert_allclose(model.decision_function(z), expected, atol=4e-5)
    assert model.penalty_ == best.penalty


def test_it_is_as_accurate_as_the_judge_says():
    z, labels = classes((80, 80, 80), apart=0.6)
    judged = cross_validate(Kernels(z, "it"), labels, np.arange(240), split(labels, np.arange(240)))
    own = cross_val_score(Classifier(), z, labels, cv=5, scoring="balanced_accuracy").mean()
    assert own == pytest.approx(judged.accuracy(labels), abs=0.04)


def test_probabilities_are_calibrated():
    z, labels = classes((400, 400, 400), apart=0.5)
    model = Classifier().fit(z[:300], labels[:300])
    p = model.predict_proba(z[300:])
    np.testing.assert_allclose(p.sum(1), 1)
    right = p.argmax(1) == labels[300:]
    assert p.max(1).mean() == pytest.approx(right.mean(), abs=0.06)


def test_names_of_classes_come_back():
    z, labels = classes()
    names = np.array(["ant", "bee", "cow"])[labels]
    model = Classifier().fit(z, names)
    assert (model.predict(z) == names).mean() > 0.9
    assert model.classes_.tolist() == ["ant", "bee", "cow"]


def test_the_prior_of_the_folder_favours_frequent_classes():
    z, labels = classes((150, 15), apart=0.4)
    uniform, folder = (Classifier(prior=prior).fit(z, labels) for prior in ("uniform", "folder"))
    assert (folder.predict(z) == 0).mean() > (uniform.predict(z) == 0).mean()
    np.testing.assert_allclose(np.exp(folder.log_prior_), [2 * 150 / 165, 2 * 15 / 165])


def test_groups_are_left_out_together():
    """With each image there twice, leaving out one would let the penalty collapse."""
    z, labels = classes(d=100, apart=0.3)
    noise = 0.01 * np.random.default_rng(1).normal(size=z.shape)
    twice, doubled = np.concatenate([z, z + noise]), np.concatenate([labels, labels])
    alone = Classifier(["exponential"]).fit(twice, doubled)
    together = Classifier(["exponential"]).fit(twice, doubled, np.tile(np.arange(120), 2))
    assert alone.penalty_ < together.penalty_


def test_groups_are_routed_through_a_pipeline():
    import sklearn

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (40, 16, 16, 3)).astype(np.uint8)
    labels, groups = np.arange(40) % 2, np.arange(40) // 4
    pictures[labels == 1] //= 2
    with sklearn.config_context(enable_metadata_routing=True):
        model = Classifier().set_fit_request(groups=True)
        pipeline = make_pipeline(Embedder("pixels:side=4"), model)
        scores = cross_val_score(
            pipeline, pictures, labels, cv=GroupKFold(5), params={"groups": groups}
        )
    assert scores.mean() > 0.9


@pytest.mark.parametrize("n", [500, 1_400])
def test_many_images_are_fitted(n, monkeypatch):
    z, labels = classes((n, n, n), apart=0.7)
    from imrep.estimators import model as module

    monkeypatch.setattr(module, "MAX_TRAIN", 1_500)
    model = Classifier().fit(z, labels)
    assert (model.predict(z) == labels).mean() > 0.75
    assert model.dual_ is None or len(model.dual_) <= 1_510


def test_equal_vectors_name_a_class_with_even_odds():
    model = Classifier().fit(np.full((30, 4), 3.0), np.arange(30) % 3)
    np.testing.assert_allclose(model.predict_proba([[3.0] * 4, [9.0] * 4]), 1 / 3, atol=0.02)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kernels": ["cubic"]}, "kernels of"),
        ({"kernels": []}, "kernels of"),
        ({"penalties": [0, 1]}, "penalties above 0"),
        ({"penalties": []}, "penalties above 0"),
        ({"prior": "flat"}, "prior of"),
    ],
)
def test_wrong_parameters_are_refused(params, message):
    z, labels = classes()
    with pytest.raises(BadParameter, match=message):
        clone(Classifier(**params)).fit(z, labels)
