"""Files of torch.export hold no name of this machine, and what is none is refused."""

import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

import imrep
from imrep.errors import BadFile
from imrep.exporting import export, torch_file


def test_files_name_no_file_of_this_machine(tmp_path):
    path = tmp_path / "m.pt2"
    export.representation(imrep.get("gradient"), path, size=32)
    root = str(Path(imrep.__file__).parent).encode()
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if root in archive.read(name)]


def test_what_is_no_model_is_refused(tmp_path):
    path = tmp_path / "m.pt2"
    path.write_bytes(b"no model")
    with pytest.raises(BadFile, match="got no archive"):
        torch_file.Program(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "no model")
    with pytest.raises(BadFile, match="is no model that torch"):
        torch_file.Program(path)


@pytest.mark.filterwarnings("ignore")
def test_a_program_of_another_origin_has_no_metadata(tmp_path):
    program = torch.export.export(nn.Linear(3, 2), (torch.rand(4, 3),))
    torch.export.save(program, tmp_path / "m.pt2")
    assert torch_file.Program(tmp_path / "m.pt2").texts == {}


def test_weights_that_the_graph_does_not_use_are_left_out(tmp_path):
    rep = imrep.get("clip:arch=tiny,weights=random")
    export.representation(rep, tmp_path / "m.pt2")
    stored = torch.export.load(tmp_path / "m.pt2").state_dict
    assert stored and not [name for name in stored if "visual" not in name]
    assert len(rep.state_dict()) > len(stored)  # it keeps its own
