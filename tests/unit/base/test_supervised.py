"""The parameters of a saved spec, where none are given."""

import pytest

import imrep
from imrep.base.supervised import take_saved
from imrep.errors import BadParameter

_FIXED = ("arch", "code", "classes")


def test_saved_parameters_fill_in_defaults():
    rep = imrep.get("snnl:factor=2")
    take_saved(rep, "snnl:arch=mlp,classes=3,factor=5,distance=euclidean,weights=random", _FIXED)
    assert (rep.arch, rep.classes, rep.distance) == ("mlp", 3, "euclidean")
    assert rep.factor == 2 and rep.weights is None


def test_another_network_is_refused():
    rep = imrep.get("snnl:classes=4")
    with pytest.raises(BadParameter, match=r"snnl needs classes=3, of its weights, got 4\. Leave"):
        take_saved(rep, "snnl:classes=3", _FIXED)
    with pytest.raises(BadParameter, match="got those of cnn"):
        take_saved(rep, "cnn:arch=lenet5", _FIXED)
