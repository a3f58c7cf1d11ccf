"""Which tensors may go to the C kernels."""

import pytest
import torch

from imrep import _native
from imrep.ops.native import followed, kernels_for

pytestmark = pytest.mark.skipif(not _native.built("kernels"), reason="no compiler at install")
TYPES = (torch.float32,)


def test_plain_tensors_of_the_types_may():
    assert kernels_for([torch.zeros(3), torch.zeros(2)], TYPES) is not None
    assert kernels_for([torch.zeros(3), torch.zeros(2).double()], TYPES) is None
    assert kernels_for([torch.zeros(3, dtype=torch.uint8)], TYPES) is None
    with _native.switched_off():
        assert kernels_for([torch.zeros(3)], TYPES) is None


def test_a_gradient_forbids_it_where_it_is_recorded():
    x = torch.zeros(3, requires_grad=True)
    assert followed(x) and kernels_for([torch.zeros(3), x], TYPES) is None
    with torch.no_grad():
        assert not followed(x) and kernels_for([x], TYPES) is not None


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_transforms_and_forward_derivatives_forbid_it():
    taken = []

    def note(x):
        taken.append((followed(x), kernels_for([x], TYPES)))
        return x

    torch.func.vmap(note)(torch.zeros(3, 2))
    torch.func.jvp(note, (torch.zeros(3),), (torch.ones(3),))
    with torch.autograd.forward_ad.dual_level():
        note(torch.autograd.forward_ad.make_dual(torch.zeros(3), torch.ones(3)))
    assert taken == [(True, None)] * 3


def test_subclasses_are_left_to_torch():
    assert kernels_for([torch.nn.Parameter(torch.zeros(3), requires_grad=False)], TYPES) is None
    assert kernels_for([torch.zeros(3, device="meta")], TYPES) is None
