import json

import pytest
import torch

from imrep.codes import Map, Points, Pyramid, Regions, Spectrum, Tokens, Vector, Warp
from imrep.errors import BadParameter
from imrep.io import codes

CODES = [
    Vector(torch.rand(2, 5)),
    Map(torch.rand(2, 3, 4, 5), (8, 10), ("x", "y", "z"), signed=True),
    Warp(torch.rand(2, 3, 4, 5), (8, 10), ("x",), rois=torch.rand(2, 4), angles=torch.rand(2)),
    # Twelve levels: in the file, level 10 must not be sorted before level 2.
    Pyramid(tuple(torch.rand(1, 3, 1, 2**i) for i in range(12, 0, -1)), torch.rand(1, 3, 1, 1)),
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
def test_a_code_is_read_back(code, tmp_path):
    codes.write(code, tmp_path / "code.safetensors")
    again = codes.read(tmp_path / "code.safetensors")
    assert type(again) is type(code)
    assert again.tensors().keys() == code.tensors().keys()
    for key, tensor in code.tensors().items():
        assert torch.equal(again.tensors()[key], tensor)
    if hasattr(code, "labels") and isinstance(code, Map):
        assert (again.size, again.labels, again.signed) == (code.size, code.labels, code.signed)


def found():
    """Two points in the first image, one in the second, one place idle."""
    return Points(
        xy=torch.tensor([[[1.0, 2.5], [3.0, 4.0]], [[5.0, 6.1], [9.0, 9.0]]]),
        values=torch.tensor([[[0.1], [-0.2]], [[1e-7], [9.0]]]),
        extent=torch.full((2, 2), 8.0),
        angle=torch.zeros(2, 2),
        present=torch.tensor([[True, True], [True, False]]),
        size=(30, 40),
        labels=("response",),
    )


def test_points_are_exported_as_csv(tmp_path):
    codes.export(found(), tmp_path / "points.csv")
    assert (tmp_path / "points.csv").read_text().splitlines() == [
        "image,x,y,extent,angle,response",
        "0,1.0,2.5,8.0,0.0,0.1",
        "0,3.0,4.0,8.0,0.0,-0.2",
        "1,5.0,6.1,8.0,0.0,1e-07",
    ]


def test_points_are_exported_as_json(tmp_path):
    codes.export(found(), tmp_path / "points.json")
    read = json.loads((tmp_path / "points.json").read_text())
    assert read["size"] == [30, 40] and len(read["points"]) == 3
    wanted = {"image": 1, "x": 5.0, "y": 6.1, "extent": 8.0, "angle": 0.0, "response": 1e-07}
    assert read["points"][2] == wanted


def test_no_points_are_a_heading_alone(tmp_path):
    codes.export(found().filter(torch.zeros(2, 2, dtype=torch.bool)), tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "image,x,y,extent,angle,response\n"


def test_points_in_another_format_are_refused_with_a_name_that_will_do(tmp_path):
    with pytest.raises(BadParameter, match=r"\.csv, \.json, got 'points\.xml'\. Try 'points\.csv'"):
        codes.export(found(), tmp_path / "points.xml")
    assert not list(tmp_path.iterdir())
