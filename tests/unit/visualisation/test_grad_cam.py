"""Grad-CAM: a case computed by hand, and the ways to name a class."""

import pytest
import torch
from torch.testing import assert_close

from imrep.base import Representation
from imrep.codes import Map
from imrep.errors import BadParameter
from imrep.registry.cards import Card
from imrep.testing import photo
from imrep.visualisation.grad_cam import class_activation, evidence, picture

NAMES = ("tabby, tabby cat", "tiger cat", "oystercatcher", "dog")


class Colours(Representation[Map]):
    """Maps of two colours; classes by their means."""

    card = Card(title="Colours", family="test", cite="")
    weights = torch.tensor([[1.0, 0.0], [-1.0, 2.0], [0.0, 0.0], [0.5, -3.0]])

    def __init__(self):
        super().__init__()

    def encode(self, image):
        return Map(image[:, :2], tuple(image.shape[2:]))

    def class_scores(self, image):
        values = self.encode(image).values * 1
        return values, values.mean((2, 3)) @ self.weights.T

    def class_names(self, count):
        assert count == 4
        return NAMES


def test_it_equals_a_case_computed_by_hand():
    values = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[4.0, 3.0], [2.0, 1.0]]])[None]
    values.requires_grad_()
    # score = 8 a₀₁ + 4 a₁₁ - 12 b₀₀: the mean gradients are 12/4 = 3 and -12/4 = -3.
    score = (8 * values[0, 0, 0, 1] + 4 * values[0, 0, 1, 1] - 12 * values[0, 1, 0, 0])[None]
    # 3 a - 3 b = [[-9, -3], [3, 9]], and its positive part.
    assert_close(class_activation(values, score), torch.tensor([[[[0.0, 0.0], [3.0, 9.0]]]]))


def test_a_linear_classifier_of_means_gives_its_own_weights():
    image = photo(6, 5)
    got = evidence(Colours(), image, "dog")
    wanted = (0.5 * image[:, :1] - 3 * image[:, 1:2]).clamp_min(0) / 30
    assert_close(got.values, wanted)
    assert got.names == ("dog", "dog") and got.classes == (3, 3)


def test_the_most_probable_class_of_each_image_is_the_default():
    image = torch.cat([torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)])
    image[0, 0] = 1
    got = evidence(Colours(), image)
    assert got.classes[0] == 0 and set(got.classes[1:]) <= {0, 1}
    scores = Colours().class_scores(image)[1]
    assert got.probabilities == pytest.approx(scores.softmax(1).amax(1).tolist())


@pytest.mark.parametrize(("label", "number"), [
    (2, 2), ("2", 2), ("tabby", 0), ("Tabby cat", 0), ("TIGER", 1), ("oystercatcher", 2),
])  # fmt: skip
def test_a_class_has_a_number_a_name_and_synonyms(label, number):
    assert evidence(Colours(), photo(4, 4), label).classes == (number, number)


@pytest.mark.parametrize(("label", "reason"), [
    ("cat", r"in the names of tabby, tabby cat \(0\), tiger cat \(1\)\. Leave it out"),
    ("horse", "got 'horse'"), (4, "from 0 to 3, got 4"), (-1, "got -1"),
])  # fmt: skip
def test_another_class_is_refused(label, reason):
    with pytest.raises(BadParameter, match=reason):
        evidence(Colours(), photo(4, 4), label)


def test_the_picture_is_brightest_where_the_evidence_is():
    image = torch.full((1, 3, 32, 32), 0.5)
    image[:, 0, 20:28, 4:12] = 1
    drawn = picture(Colours(), image, None, "tabby").sum(1)[0]
    assert drawn[24, 8] > drawn[8, 24] + 0.5
