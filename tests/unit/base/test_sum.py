"""Sums: laws between a sum and its views."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import imrep
from imrep.base import Sum
from imrep.codes import Vector, Views
from imrep.errors import BadCode, BadParameter

IMAGE = torch.rand(2, 3, 24, 20, generator=torch.Generator().manual_seed(0))
SPEC = "pixels:side=4+histogram:bins=4+dct"


@pytest.fixture
def rep():
    return imrep.get(SPEC)


def test_codes_and_vectors_are_those_of_the_views(rep):
    code = rep.encode(IMAGE)
    for view, part in zip(rep.views, code.codes, strict=True):
        for name, tensor in view.encode(IMAGE).tensors().items():
            assert torch.equal(part.tensors()[name], tensor)
    parts = rep.embed(IMAGE).split([view.dim for view in rep.views], dim=1)
    for view, part in zip(rep.views, parts, strict=True):
        vector = view.embed(IMAGE)
        assert_close(part * vector.norm(dim=1, keepdim=True), vector)
        assert_close(part.norm(dim=1), torch.ones(2))
    assert rep.dim == sum(view.dim for view in rep.views) == rep.embed(IMAGE).shape[1]


def test_embedding_is_pooling_the_code(rep):
    assert_close(rep.pool(rep.encode(IMAGE)), rep.embed(IMAGE))
    assert_close(rep(IMAGE[1:]), rep.embed(IMAGE)[1:])


def test_the_spec_builds_it_again_and_the_order_of_views_matters(rep):
    again, other = imrep.get(rep.spec), imrep.get("dct+histogram:bins=4+pixels:side=4")
    assert rep.spec == SPEC and again.fingerprint == rep.fingerprint
    assert other.fingerprint != rep.fingerprint and other.dim == rep.dim
    widths = [view.dim for view in rep.views]
    parts = rep.embed(IMAGE).split(widths, dim=1)
    assert_close(other.embed(IMAGE), torch.cat(parts[::-1], dim=1))


def test_distances_are_the_sum_of_those_of_the_views(rep):
    def squared(vectors):
        return (vectors[0] - vectors[1]).square().sum()

    alone = [squared(Sum([view]).embed(IMAGE)) for view in rep.views]
    assert_close(squared(rep.embed(IMAGE)), sum(alone))


def test_a_sum_in_a_sum_is_one_view_of_it(rep):
    outer = Sum([rep, imrep.get("pixels:side=2")])
    assert outer.dim == rep.dim + 12
    assert set(outer.get_params()) >= {"sum__pixels__side", "pixels__side"}
    assert_close(outer.embed(IMAGE)[:, : rep.dim].norm(dim=1), torch.ones(2))


def test_it_is_differentiable_if_any_view_is():
    smooth, hard = imrep.get("pixels"), imrep.get("histogram")
    assert smooth.differentiable and not hard.differentiable
    assert Sum([hard, smooth]).differentiable and not Sum([hard, hard]).differentiable


def test_codes_that_are_not_of_its_views_are_refused(rep):
    code = rep.encode(IMAGE)
    with pytest.raises(BadCode, match="3"):
        rep.pool(Views(code.codes[:2]))
    with pytest.raises(BadCode):
        rep.pool(Views(code.codes[::-1]))
    with pytest.raises(BadCode, match="Views"):
        rep.pool(Vector(torch.ones(2, 4)))


@pytest.mark.parametrize("views", [(), "hog", 3, None, ["hog"], [imrep.get("pixels"), 3]])
def test_what_is_no_list_of_representations_is_refused(views):
    with pytest.raises(BadParameter, match=r"^a sum needs a list of representations, got .*'hog\+"):
        Sum(views)


def test_new_views_and_their_parameters_in_one_call(rep):
    new = [imrep.get("pixels:side=2"), imrep.get("pixels:side=3")]
    rep.set_params(views=new, pixels1__side=5)
    assert rep.spec == "pixels:side=5+pixels:side=3"
    assert new[0].side == 2  # a view that is changed is copied


def test_a_fitted_sum_is_saved_and_loaded_as_it_is(tmp_path):
    dice = np.random.default_rng(0)
    images = torch.from_numpy(dice.random((6, 3, 48, 48), np.float32))
    rep = imrep.get("sift:words=2+pixels:side=2+sift:words=3")
    rep.fit(image[None] for image in images)  # a generator: each view that learns reads it
    loaded = imrep.load(rep.save(tmp_path / "rep"))
    assert not loaded.needs_fit and loaded.spec == str(tmp_path / "rep")
    assert torch.equal(loaded.embed(images), rep.embed(images))
    assert loaded.fingerprint == rep.fingerprint
