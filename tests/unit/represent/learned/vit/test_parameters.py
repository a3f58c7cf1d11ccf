"""Parameters that are refused before or after a network is built."""

import pytest

import imrep
from imrep.errors import BadParameter
from imrep.represent.learned.vit.parameters import check_head, one_head

TINY = "vit:arch=test_vit,weights=random"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("pooling=max", "vit needs pooling to be one of head, token, mean, both, self-attentive"),
        ("pooling=self_attentive", "Did you mean 'self-attentive'"),
        ("trains=all", "trains to be one of pooling, network"),
        ("show=heat", "show to be one of rollout, heads, hops, components"),
        ("show=head2", "2 heads, from head0 to head1, got head2. Use show=heads"),
        ("show=hops", "needs pooling=self-attentive to show its hops, got head"),
        ("hops=0", "hops"),
        ("units=0", "units"),
        ("penalty=-1", "penalty"),
        ("side=4096", "side"),
        ("classes=0", "classes"),
        ("epochs=0", "epochs"),
    ],
)
def test_values_out_of_range_are_refused(parameters, message):
    with pytest.raises(BadParameter, match=message):
        imrep.get(f"{TINY},{parameters}")


@pytest.mark.parametrize(
    ("arch", "message"),
    [
        ("dinov4", "Did you mean 'dinov"),
        ("vit_smal_patch14_dinov2", "Did you mean 'vit_small_patch14_dinov2'"),
        ("qqqqqqq", r"timm\.list_models\('vit\*'\) shows some"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(arch, message):
    with pytest.raises(BadParameter, match=f"{message}"):
        imrep.get(f"vit:arch={arch},weights=random")


def test_heads_are_numbers():
    assert [one_head(text) for text in ("head0", "head12", "heads", "head", "head1x")] == [
        0, 12, None, None, None,
    ]  # fmt: skip
    check_head("head5", 6, "vit")
    with pytest.raises(BadParameter, match="head0 to head5, got head6"):
        check_head("head6", 6, "vit")
