"""Names of tensors: prefixes of wrappers, and efficientnet_pytorch's names as timm's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.weights import names
from imrep.weights.names import translate, unwrap

OWN = ("conv1.weight", "layer1.0.weight", "fc.weight")
PREFIXES = st.lists(st.sampled_from(names._PREFIXES), max_size=4).map("".join)


@given(PREFIXES)
def test_any_nesting_of_wrappers_is_taken_off(prefix):
    state = {prefix + name: i for i, name in enumerate(OWN)}
    assert unwrap(state, OWN) == dict(zip(OWN, range(3), strict=True))


def test_a_networks_own_names_are_never_shortened():
    own = ("model.conv.weight", "model.fc.weight")
    state = dict.fromkeys(own, 1)
    assert unwrap(state, own) == state
    assert unwrap({f"module.{name}": 1 for name in own}, own) == state


def test_a_prefix_that_not_all_share_stays():
    state = {"module.conv1.weight": 1, "layer1.0.weight": 2}
    assert unwrap(state, OWN) == state


@pytest.mark.parametrize("outside", ["head.weight", "fc.bias", "classifier.0.weight", "n_averaged"])
def test_heads_outside_the_wrapped_network_go_with_the_prefix(outside):
    state = {"backbone.conv1.weight": 1, "backbone.layer1.0.weight": 2, outside: 3}
    assert unwrap(state, OWN) == {"conv1.weight": 1, "layer1.0.weight": 2}


def test_a_head_without_a_wrapped_network_is_left_alone():
    state = {"fc.weight": 1}
    assert unwrap(state, OWN) == state
    assert unwrap({}, OWN) == {}


TIMM = (
    "conv_stem.weight", "bn1.weight", "conv_head.weight", "bn2.weight", "classifier.weight",
    *(f"blocks.0.0.{name}.weight" for name in ("conv_dw", "bn1", "conv_pw", "bn2")),
    *(f"blocks.1.{i}.{name}.weight" for i in (0, 1)
      for name in ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")),
    "blocks.1.1.se.conv_reduce.weight", "blocks.1.1.se.conv_expand.weight",
)  # fmt: skip
THEIRS = {
    "_conv_stem.weight": "conv_stem.weight",
    "_bn0.weight": "bn1.weight",
    "_conv_head.weight": "conv_head.weight",
    "_bn1.weight": "bn2.weight",
    "_fc.weight": "classifier.weight",
    "_blocks.0._depthwise_conv.weight": "blocks.0.0.conv_dw.weight",
    "_blocks.0._bn1.weight": "blocks.0.0.bn1.weight",
    "_blocks.0._project_conv.weight": "blocks.0.0.conv_pw.weight",
    "_blocks.0._bn2.weight": "blocks.0.0.bn2.weight",
    **{
        f"_blocks.{1 + i}.{theirs}.weight": f"blocks.1.{i}.{own}.weight"
        for i in (0, 1)
        for theirs, own in {
            "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw",
            "_bn1": "bn2", "_project_conv": "conv_pwl", "_bn2": "bn3",
        }.items()
    },
    "_blocks.2._se_reduce.weight": "blocks.1.1.se.conv_reduce.weight",
    "_blocks.2._se_expand.weight": "blocks.1.1.se.conv_expand.weight",
}  # fmt: skip


def test_blocks_numbered_consecutively_become_stages():
    assert set(THEIRS.values()) == set(TIMM)
    assert translate(dict(THEIRS), TIMM) == {name: name for name in TIMM}


def test_blocks_beyond_the_networks_keep_their_names():
    state = dict.fromkeys(THEIRS, 0) | {"_blocks.9._bn1.weight": 1}
    assert "_blocks.9._bn1.weight" in translate(state, TIMM)


@pytest.mark.parametrize("state", [{"conv_stem.weight": 1}, {"_bn0.weight": 1}, {}])
def test_states_of_other_libraries_are_unchanged(state):
    assert translate(state, TIMM) == state
    assert translate(dict.fromkeys(THEIRS, 0), OWN) == dict.fromkeys(THEIRS, 0)
