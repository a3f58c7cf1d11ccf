"""A graph without complex numbers computes what the complex one did."""

import pytest
import torch
from torch import nn

from imrep.exporting import real_graph

DYNAMIC = ({0: torch.export.Dim("batch")},)


class Computes(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def power(z):
    return torch.view_as_real(z).square().sum(-1)


FUNCTIONS = {
    "rfft2": lambda x: power(torch.fft.rfft2(x)),
    "rfft2, zero-padded": lambda x: power(torch.fft.rfft2(x, s=(9, 12))),
    "unitary": lambda x: torch.fft.rfft2(x, norm="ortho").abs(),
    "fft2 of real numbers": lambda x: torch.fft.fft2(x).abs(),
    "ifft2": lambda x: torch.fft.ifft2(torch.fft.fft2(x)).real,
    "irfft2, even": lambda x: torch.fft.irfft2(torch.fft.rfft2(x), s=x.shape[-2:]),
    "irfft2, odd": lambda x: torch.fft.irfft2(torch.fft.rfft2(x[..., 1:]), s=(6, 7)),
    "a filter": lambda x: torch.fft.irfft2(
        torch.fft.rfft2(x) * torch.fft.rfft2(torch.eye(6, 8)), s=(6, 8)
    ),
    "arithmetic": lambda x: (
        (torch.fft.fft(x) * torch.fft.fft(x).conj() + 2 * torch.fft.fft(x) - torch.fft.fft(x)).imag
    ),
    "parts": lambda x: torch.cat([each.abs() for each in torch.fft.fft(x).split(1, dim=1)]),
    "hypot": lambda x: torch.hypot(x, x + 1),
    "from parts": lambda x: torch.view_as_complex(torch.stack([x, -x], -1)).abs(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_real_graphs_compute_the_same(name):
    x = torch.rand(3, 3, 6, 8)
    program = torch.export.export(
        Computes(FUNCTIONS[name]), (x[:2],), dynamic_shapes=DYNAMIC, strict=False
    ).run_decompositions()
    assert real_graph.has_other_operations(program)
    module = real_graph.RealGraph(program)
    real = torch.export.export(module, (x[:2],), dynamic_shapes=DYNAMIC, strict=False)
    assert not real_graph.has_other_operations(real.run_decompositions())
    torch.testing.assert_close(real.module()(x), FUNCTIONS[name](x), atol=1e-5, rtol=1e-5)


def test_plain_graphs_are_left_alone():
    program = torch.export.export(Computes(lambda x: x + 1), (torch.rand(2, 3),), strict=False)
    assert not real_graph.has_other_operations(program.run_decompositions())
