import pytest
import torch

from imrep import codefiles
from imrep.codes import Map, Points, Pyramid, Regions, Spectrum, Tokens, Vector

CODES = [
    Vector(torch.rand(2, 5)),
    Map(torch.rand(2, 3, 4, 5), (8, 10), ("x", "y", "z"), signed=True),
    Pyramid(tuple(torch.rand(1, 3, 2**i, 2**i) for i in range(12, 0, -1)), torch.rand(1, 3, 1, 1)),
    Tokens(torch.rand(2, 4), torch.rand(2, 6, 4), (2, 3)),
    Points(
        *(torch.rand(2, 7, 2), torch.rand(2, 7, 128), torch.rand(2, 7), torch.rand(2, 7)),
        torch.rand(2, 7) > 0.5,
        (30, 40),
    ),
    Spectrum((torch.rand(2, 8, 8, 3, 3), torch.rand(2, 8, 8, 2, 2)), (24, 24)),
    Regions(torch.zeros(2, 3, 3, dtype=torch.long), torch.ones(2, dtype=torch.long)),
]


@pytest.mark.parametrize("code", CODES, ids=lambda code: type(code).__name__)
def test_a_code_comes_back(code, tmp_path):
    codefiles.write(code, tmp_path / "code.safetensors")
    again = codefiles.read(tmp_path / "code.safetensors")
    assert type(again) is type(code)
    assert again.tensors().keys() == code.tensors().keys()
    for key, tensor in code.tensors().items():
        assert torch.equal(again.tensors()[key], tensor)
    if hasattr(code, "labels") and isinstance(code, Map):
        assert (again.size, again.labels, again.signed) == (code.size, code.labels, code.signed)
