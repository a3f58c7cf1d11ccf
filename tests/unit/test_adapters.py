"""Representations of the caller's: modules, functions and vectors made elsewhere."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import imrep
from imrep import adapters
from imrep.adapters import MadeOutside, Wrapped, resolve, typable
from imrep.errors import BadImage, BadParameter, UnknownName

IMAGE = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def average(images):
    return images.mean((2, 3))


class TestWrapped:
    def test_a_function_is_called_with_the_images(self):
        assert torch.equal(Wrapped(average).embed(IMAGE), average(IMAGE))
        assert torch.equal(Wrapped(lambda x: average(x).numpy()).embed(IMAGE), average(IMAGE))
        assert Wrapped(lambda x: average(x).double()).embed(IMAGE).dtype == IMAGE.dtype

    def test_it_is_named_by_function_or_class(self):
        assert [Wrapped(f).spec for f in (average, lambda x: x, nn.Flatten())] == [
            "average", "function", "Flatten",
        ]  # fmt: skip

    def test_a_module_is_set_to_evaluation_and_its_weights_are_members(self):
        net = nn.Sequential(nn.Flatten(), nn.Linear(192, 2), nn.Dropout(0.9)).train()
        rep = Wrapped(net)
        assert not net.training and len(list(rep.parameters())) == 2
        assert torch.equal(rep.embed(IMAGE), rep.embed(IMAGE))

    def test_each_has_a_fingerprint_of_its_own_that_a_copy_keeps(self):
        first, second = Wrapped(average), Wrapped(average)
        assert first.fingerprint.startswith(adapters.OBJECT)
        assert first.fingerprint != second.fingerprint
        assert copy.deepcopy(first).fingerprint == first.fingerprint

    @pytest.mark.parametrize(
        ("function", "shape"),
        [
            (lambda x: x, r"\(4, 3, 8, 8\)"),
            (lambda x: x.mean((0, 2, 3))[None], r"\(1, 3\)"),
            (lambda x: x.mean((1, 2, 3)), r"\(4,\)"),
            (lambda x: x.mean((2, 3)).tolist(), "list"),
            (lambda x: None, "NoneType"),
        ],
    )
    def test_other_results_than_a_vector_for_each_image_are_refused(self, function, shape):
        with pytest.raises(
            BadParameter, match=rf"function needs to give vectors \(4, d\).*{shape}"
        ):
            Wrapped(function).encode(IMAGE)

    def test_what_is_no_image_does_not_reach_the_function(self):
        with pytest.raises(BadImage, match="function needs values"):
            Wrapped(lambda x: pytest.fail("called")).encode(IMAGE * 255)


class TestMadeOutside:
    VECTORS = np.arange(6.0, dtype=np.float32).reshape(3, 2)

    def test_the_fingerprint_is_that_of_the_numbers_and_their_shape(self):
        prints = [
            MadeOutside("mine", self.VECTORS), MadeOutside("other", self.VECTORS.copy(), ms=3.0),
            MadeOutside("mine", self.VECTORS.reshape(2, 3)), MadeOutside("mine", -self.VECTORS),
        ]  # fmt: skip
        first, same, shape, numbers = [rep.fingerprint for rep in prints]
        assert first == same and len({first, shape, numbers}) == 3
        assert not first.startswith(adapters.OBJECT)

    def test_other_images_have_no_vector(self):
        rep = MadeOutside("mine", self.VECTORS)
        assert (rep.spec, rep.inverse, rep.get_params()) == ("mine", "none", {})
        with pytest.raises(BadParameter, match="mine needs images that it has vectors of, got"):
            rep.embed(IMAGE)


class TestResolve:
    def test_specs_are_built_and_representations_pass(self):
        rep = imrep.get("pixels:side=2")
        assert resolve(rep, "f") is rep and resolve("Pixels:SIDE=2", "f").spec == rep.spec
        assert isinstance(resolve(average, "f"), Wrapped)
        assert isinstance(resolve(nn.Flatten(), "f"), Wrapped)

    @pytest.mark.parametrize("value", [None, 3, ["hog"], b"hog", Path("hog")])
    def test_other_things_are_refused_with_an_example(self, value):
        with pytest.raises(BadParameter, match=r"^f needs a spec, a representation.* Try 'hog'\."):
            resolve(value, "f")

    def test_a_class_is_to_be_built(self):
        with pytest.raises(BadParameter, match=r"got the class Flatten\. Build it: Flatten\(\)\."):
            resolve(nn.Flatten, "f")

    def test_an_unknown_name_is_an_unknown_name(self):
        with pytest.raises(UnknownName):
            resolve("hogg", "f")


def test_only_what_a_spec_builds_again_can_be_typed(tmp_path):
    rep = imrep.get("pixels:side=2")
    assert typable(rep) and typable(imrep.get("pixels+hog"))
    assert not typable(Wrapped(average)) and not typable(
        MadeOutside("hog", np.ones((1, 1), np.float32))
    )
    learnt = imrep.get("sift:words=2")
    learnt.fit(torch.rand(4, 3, 48, 48))
    assert not typable(learnt)  # the spec builds an unfitted one
    assert typable(imrep.load(learnt.save(tmp_path / "rep")))
