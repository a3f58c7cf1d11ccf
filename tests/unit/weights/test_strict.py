"""All tensors of a network or none: what is missing, foreign, misshapen or no number."""

import pytest
import torch
from torch import nn

from imrep.errors import BadParameter
from imrep.weights import strict


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


OWN = network().state_dict()


def fitted(**changes):
    """The state with tensors replaced, or removed where they are None; `_` stands for a dot."""
    state = OWN | {key.replace("_", ".", 1): value for key, value in changes.items()}
    return {key: value for key, value in state.items() if value is not None}


def fit(state, **options):
    return strict.fit(state, OWN, "net", "cnn", **options)


def test_a_state_of_its_own_fits_and_loads():
    state = fit(OWN)
    assert state == OWN
    network().load_state_dict(state)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"0_weight": None}, "'0.weight' is missing"),
        ({"0_weight": None, "0_bias": None}, "'0.weight' is missing and 1 more"),
        ({"9_weight": torch.ones(1)}, "'9.weight' is no part of it"),
        ({"0_bias": None, "9_a": torch.ones(1)}, "'0.bias' is missing, '9.a' is no part of it"),
        ({"0_bias": torch.ones(5)}, r"'0.bias' has shape \(5,\) in place of \(4,\)"),
    ],
)
def test_what_does_not_fit_is_named_with_a_remedy(changes, reason):
    with pytest.raises(
        BadParameter, match=rf"cnn needs weights of net, got others: {reason}\. Name"
    ):
        fit(fitted(**changes))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (torch.tensor([1, torch.nan, 0, 0]), "holds NaN or infinity"),
        (torch.tensor([1, torch.inf, 0, 0]), "holds NaN or infinity"),
        (torch.tensor([1e300, 0, 0, 0], dtype=torch.float64), "holds NaN or infinity"),
        (torch.ones(4, dtype=torch.long), r"is torch\.int64 in place of torch\.float32"),
        (torch.ones(4, dtype=torch.complex64), r"is torch\.complex64 in place of torch\.float32"),
        (torch.ones(4).to_sparse(), "holds no plain numbers"),
        (torch.ones(4, device="meta"), "holds no plain numbers"),
    ],
)
def test_tensors_without_plain_numbers_are_refused(value, reason):
    with pytest.raises(BadParameter, match=f"got '0.bias' that {reason}"):
        fit(fitted(**{"0_bias": value}))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_types_fit(dtype):
    state = {key: value.to(dtype) if value.is_floating_point() else value
             for key, value in OWN.items()}  # fmt: skip
    assert fit(state).keys() == OWN.keys()


def test_counts_of_batches_are_optional():
    assert "1.num_batches_tracked" in OWN
    state = fitted(**{"1_num_batches_tracked": None})
    assert fit(state).keys() == state.keys()


@pytest.mark.parametrize("classes", [2, 1000])
def test_a_head_is_dropped_whatever_its_classes(classes):
    state = fitted(**{"3_weight": torch.ones(classes, 4), "3_bias": None})
    assert not [key for key in fit(state, head=("3",)) if key.startswith("3.")]


def test_a_head_is_a_name_not_a_beginning():
    with pytest.raises(BadParameter, match=r"'30\.weight' is no part"):
        fit(fitted(**{"30_weight": torch.ones(1)}), head=("3",))


def test_parts_that_only_training_uses_may_be_there():
    state = OWN | {"n_averaged": torch.tensor(3), "aux1.conv.weight": torch.ones(1)}
    assert fit(state).keys() == OWN.keys()


def test_a_part_of_the_network_may_be_all_that_is_required():
    assert fit({"0.weight": OWN["0.weight"]}, required={"0.weight"}).keys() == {"0.weight"}
    with pytest.raises(BadParameter, match=r"'0\.bias' is missing"):
        fit({"0.weight": OWN["0.weight"]}, required={"0.weight", "0.bias"})
