"""The classifier that a network is trained with."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from imrep.errors import BadData
from imrep.represent.learned.cnn.classifying import Classifier, labels_of

LABELS = torch.tensor([0, 2, -1, 1])
VECTOR = torch.arange(20.0).reshape(4, 5).sin()


class Constant(nn.Module):
    """Logits that favour class 0."""

    def forward(self, maps):
        return torch.tensor([[2.0, 0, 0]]).expand(len(maps), 3)


def head(auxiliary=0):
    return Classifier([5], 5, 3, False, [Constant() for _ in range(auxiliary)])


def test_the_loss_is_the_cross_entropy_of_labelled_images():
    classifier = head().eval()
    rows = [0, 1, 3]
    expected = F.cross_entropy(classifier.linear(VECTOR)[rows], LABELS[rows])
    torch.testing.assert_close(classifier.loss(VECTOR, [], LABELS), expected)
    assert classifier.loss(VECTOR, [], torch.full((4,), -1)) == 0


def test_in_training_each_auxiliary_loss_adds_three_tenths():
    classifier, maps = head(2), [torch.zeros(4, 1)] * 2
    main = classifier.eval().loss(VECTOR, maps, LABELS)
    rows = [0, 1, 3]
    each = F.cross_entropy(Constant()(maps[0])[rows], LABELS[rows])
    torch.testing.assert_close(classifier.train().loss(VECTOR, maps, LABELS), main + 0.6 * each)


def test_attention_is_learned_for_each_layer_where_it_pools():
    assert head().direction(0) is None
    attending = Classifier([5, 7], 12, 3, True, [])
    assert [attending.direction(i).shape for i in range(2)] == [(5,), (7,)]
    assert not attending.direction(1).any()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({}, "got none"),
        ({"label": torch.zeros(2)}, "got none"),
        ({"label": torch.tensor([0, 3, 0])}, "from 0 to 2, got 0 to 3. Set classes=4"),
        ({"label": torch.tensor([0, -2, 0])}, "from 0 to 2, got -2 to 0"),
    ],
)
def test_other_classes_are_refused(batch, message):
    with pytest.raises(BadData, match=message):
        labels_of({"image": torch.zeros(3, 3, 8, 8), **batch}, 3, "cnn")
