"""Scores of classes: those of the checkpoint, in one graph with the maps of a layer."""

import pytest
import torch
from torch.testing import assert_close

import imrep
from imrep.errors import BadParameter
from imrep.testing import photo
from imrep.visualisation.grad_cam import evidence

RANDOM = "cnn:arch=test_resnet,weights=random"


@pytest.fixture
def checkpoint(tmp_path):
    """A network of seven classes, and the path of its weights."""
    import timm

    torch.manual_seed(5)
    whole = timm.create_model("test_resnet", num_classes=7).eval()
    for module in whole.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, std=0.1)
    path = tmp_path / "net.pt"
    torch.save(whole.state_dict(), path)
    return whole, path


@pytest.mark.parametrize("layer", ["0", "2", "-1", "layer2.0"])
def test_they_are_the_logits_of_the_checkpoint_and_depend_on_the_maps(checkpoint, layer):
    whole, path = checkpoint
    rep = imrep.get(f"cnn:arch=test_resnet,weights='{path}',layer={layer}")
    image = photo(64, 64).requires_grad_()
    values, scores = rep.class_scores(image)
    assert_close(scores, whole(rep.normalised(image)), rtol=1e-4, atol=1e-5)
    assert_close(values, rep.encode(image).values, rtol=1e-4, atol=1e-5)
    (gradient,) = torch.autograd.grad(scores[:, 3].sum(), values)
    assert gradient.abs().amax((1, 2, 3)).min() > 0
    assert rep.class_names(7) == ()


def test_behind_the_last_map_grad_cam_is_the_classifiers_own_weighting(checkpoint):
    """The map is averaged and read linearly: the gradient's mean is the weight per position."""
    whole, path = checkpoint
    rep, image = imrep.get(f"cnn:arch=test_resnet,weights='{path}'"), photo(64, 96)
    values = rep.encode(image).values
    weights = whole.get_classifier().weight[4] / values.shape[2:].numel()
    wanted = (values * weights[:, None, None]).sum(1, keepdim=True).clamp_min(0)
    assert_close(evidence(rep, image, 4).values, wanted.detach(), rtol=1e-3, atol=1e-5)


def test_a_network_that_imrep_trains_has_its_own_classifier():
    rep = imrep.get(f"{RANDOM},layer=2,classes=3,side=32")
    values, scores = rep.class_scores(photo(32, 32).requires_grad_())
    assert scores.shape == (2, 3) and values.ndim == 4
    assert torch.autograd.grad(scores.sum(), values)[0].any()
    assert rep.class_names(3) == ()


def test_published_weights_of_1000_classes_have_the_names_of_imagenet():
    rep = imrep.get(RANDOM)
    assert rep.class_names(1000) == ()
    rep.weights = "published"
    assert rep.class_names(1000)[281] == "tabby, tabby cat" and rep.class_names(7) == ()


@pytest.mark.parametrize(("spec", "reason"), [
    (f"{RANDOM},layer=0/1", "one layer of maps for grad-cam, got layer=0/1"),
    (f"{RANDOM},layer=penultimate", "got layer=penultimate"),
    ("cnn:arch=lenet5,weights=random", r"got \(2, 120, 1, 1\) of lenet5"),
    ("cnn:arch=squeezenet1_1,weights=random", "one classifier"),
])  # fmt: skip
def test_what_has_no_evidence_is_refused(spec, reason):
    with pytest.raises(BadParameter, match=reason):
        imrep.get(spec).class_scores(photo(64, 64))
