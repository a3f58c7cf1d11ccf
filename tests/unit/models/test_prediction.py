"""Scores of new images: those of the representation and its ridge, whatever the threads."""

import numpy as np
import pytest
import torch

import imrep
from imrep import images
from imrep.datasets import find
from imrep.models import prediction
from imrep.models.prediction import Settings


def by_hand(classifier, paths, vectors=None):
    """Probabilities image by image, from the parts alone."""
    fitted, rows = classifier._fitted, []
    for path in paths:
        scores = 0.0
        for part in fitted.parts:
            if part.rep is None:
                vector = np.float32(vectors[f"{path.parent.name}/{path.name}"])[None]
            else:
                square = images.square(path, part.frame.size)[0]
                with torch.no_grad():
                    vector = part.rep.embed(images.batch(square[None])).numpy()
            scores = scores + part.weight * part.predictor.scores(vector)
        rows.append(fitted.probabilities(scores)[0])
    return np.stack(rows)


@pytest.mark.parametrize("name", ["gradient", "gradient+histogram", "mine+gradient", "together"])
def test_answers_are_those_of_the_parts(compared, name):
    classifier = compared.comparison.classifier(name)
    own = {"mine": compared.new_vectors} if classifier._fitted.own else None
    paths = sorted(compared.new.rglob("*.png"))
    expected = by_hand(classifier, paths, compared.new_vectors)
    answers = classifier.answers(compared.new, vectors=own)
    np.testing.assert_allclose(answers.probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(answers.probabilities.sum(1), 1)
    assert answers.labels == tuple(classifier.classes_[expected.argmax(1)])


def test_it_knows_new_images_of_its_classes(compared):
    answers = compared.comparison.classifier("gradient").answers(compared.new)
    truth = [path.split("/")[0] for path in answers.paths]
    assert np.mean(np.array(answers.labels) == truth) > 0.9


@pytest.mark.parametrize("threads", [1, 3])
def test_the_bits_do_not_depend_on_threads(compared, threads):
    classifier = compared.comparison.classifier("gradient+histogram")
    first = classifier.answers(compared.new, threads=2).probabilities
    np.testing.assert_array_equal(
        classifier.answers(compared.new, threads=threads).probabilities, first
    )


def test_two_sizes_are_read_in_two_passes(compared, monkeypatch):
    from dataclasses import replace

    fitted = compared.comparison.classifier("gradient+histogram")._fitted
    first, second = fitted.parts
    other = replace(fitted, parts=(first, replace(second, frame=second.frame._replace(size=32))))
    classifier = type(compared.comparison.classifier("gradient"))(other)
    paths = sorted(compared.new.rglob("*.png"))
    seen = []
    answers = classifier.answers(compared.new, progress=lambda what, *_: seen.append(what))
    np.testing.assert_allclose(answers.probabilities, by_hand(classifier, paths), atol=1e-5)
    assert {"gradient+histogram at 24 px", "gradient+histogram at 32 px"} <= set(seen)


def test_an_interrupted_run_goes_on_where_it_was(compared, tmp_path, monkeypatch):
    monkeypatch.setattr(prediction, "_SHARD", 4)
    monkeypatch.setattr(prediction, "_BATCH", 2)
    fitted = compared.comparison.classifier("gradient")._fitted
    items, settings = find(compared.new).items, Settings(threads=1)

    def interrupt(what, done, count):
        if done >= 10:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        prediction.scored(fitted, items, {}, tmp_path / "a.csv", settings, interrupt),
    ):
        pass
    assert len(list((tmp_path / "a.csv.parts").glob("[0-9]*.npz"))) == 2
    steps = []
    with prediction.scored(
        fitted,
        items,
        {},
        tmp_path / "a.csv",
        settings,
        lambda what, done, count: steps.append(done),
    ) as found:
        assert len(found.scores) == 24 and not found.skipped
    assert min(steps) == 10 and not list(tmp_path.iterdir())


def test_a_broken_file_has_no_answer(compared, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG and no more")
    good = sorted(compared.new.rglob("*.png"))[0]
    classifier = compared.comparison.classifier("gradient")
    answers = classifier.answers([tmp_path / "a.png", good], unlike=True)
    assert answers.labels[0] == "" and answers.labels[1]
    assert np.isnan(answers.probabilities[0]).all() and np.isnan(answers.p[0])
    assert answers.top(2)[0] == [] and len(answers.top(2)[1]) == 2
    assert [reason for _, reason in answers.skipped] and not answers.unlike
    with pytest.raises(imrep.ImrepError, match="none of the 1 files gave an answer"):
        classifier.predict([tmp_path / "a.png"])


def test_images_unlike_the_training_images_are_named(compared):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (24, 24, 3), np.uint8) for _ in range(8)]
    classifier = compared.comparison.classifier("gradient")
    assert len(classifier.answers(noise, unlike=True).unlike) == 8
    usual = classifier.answers(compared.new, unlike=True)
    assert len(usual.unlike) <= 2
    assert classifier.answers(compared.photos, unlike=True).distances.max() == 0
    assert classifier.answers(noise).distances is None


def test_a_label_needs_its_probability(compared):
    classifier = compared.comparison.classifier("histogram")
    answers = classifier.answers(compared.new, at_least=0.6)
    pairs = list(zip(answers.labels, answers.p, strict=True))
    assert all(bool(label) == (p >= 0.6) for label, p in pairs) and not all(answers.labels)
