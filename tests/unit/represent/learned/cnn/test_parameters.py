"""Parameters that exclude each other, and codes that are not those of the layers."""

from types import SimpleNamespace

import pytest
import torch

from imrep.codes import Map, Views
from imrep.errors import BadCode, BadParameter
from imrep.represent.learned.cnn.parameters import check, check_maps

DEFAULTS = {
    "name": "cnn", "pooling": "mean", "precision": "float32", "cells": 1, "classes": 0,
    "epochs": 0, "side": None, "layer": -1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pooling": "median"}, "pooling"),
        ({"precision": "float16"}, "precision"),
        ({"cells": 0}, "cells"),
        ({"classes": -1}, "classes"),
        ({"epochs": 10**9}, "epochs"),
        ({"side": 0}, "side"),
        ({"layer": "a//b"}, "layer to name each layer once"),
        ({"pooling": "token", "cells": 2}, "got token, which the network itself computes"),
        ({"pooling": "head", "epochs": 3}, "got head. Use layer=penultimate"),
    ],
)
def test_each_is_refused_by_name(changes, message):
    check(SimpleNamespace(**DEFAULTS))
    with pytest.raises(BadParameter, match=message):
        check(SimpleNamespace(**DEFAULTS | changes))


def of(*shape):
    return Map(torch.zeros(shape), (8, 8))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (of(2, 3, 4, 4), "a code of each of 2 layers"),
        (Views((of(2, 3, 4, 4), of(1, 5, 2, 2))), "a code of each of 2 layers"),
        (Views((of(2, 3, 4, 4), of(2, 5, 0, 2))), "maps of at least one cell"),
        (Views((of(2, 3, 4, 4), of(2, 6, 2, 2))), "maps of 3, 5 channels, got 3, 6"),
    ],
)
def test_other_codes_are_refused(code, message):
    check_maps(Views((of(2, 3, 4, 4), of(2, 5, 2, 2))), 2, (3, 5), "cnn")
    with pytest.raises(BadCode, match=message):
        check_maps(code, 2, (3, 5), "cnn")
