"""The head behind a transformer: its loss."""

import torch

from imrep.networks.self_attentive import SelfAttentive, redundancy
from imrep.represent.learned.vit.self_attentive import Head


def test_images_without_a_class_count_nothing():
    head, patches = Head(SelfAttentive(4, 3, 2), 8, 3), torch.randn(5, 6, 4)
    labels = torch.tensor([0, 2, -1, 1, -1])
    vectors, labelled = head.pooling(patches), labels >= 0
    loss = head.loss(vectors, patches, labels, 0.5)
    same = head.loss(vectors[labelled], patches[labelled], labels[labelled], 0.5)
    torch.testing.assert_close(loss, same)
    assert head.loss(vectors, patches, torch.full((5,), -1), 0.5) == 0


def test_the_loss_is_entropy_and_redundancy():
    head, patches = Head(SelfAttentive(4, 3, 2), 8, 3), torch.randn(5, 6, 4)
    vectors, labels = head.pooling(patches), torch.arange(5) % 3
    entropy = torch.nn.functional.cross_entropy(head.classifier(vectors), labels)
    torch.testing.assert_close(head.loss(vectors, patches, labels, 0.0), entropy)
    expected = entropy + 2 * redundancy(head.pooling.weights(patches))
    torch.testing.assert_close(head.loss(vectors, patches, labels, 2.0), expected)
