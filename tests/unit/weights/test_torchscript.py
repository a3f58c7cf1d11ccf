"""Archives of TorchScript: their tensors are read, their code and foreign classes are not."""

import os
import pickle
import warnings
import zipfile

import pytest
import torch
from torch import nn

from imrep import weights
from imrep.errors import BadParameter
from imrep.weights import torchscript


class Net(nn.Module):
    """Modules within modules, half precision, a buffer, numbers and a list."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
        self.narrow = nn.Linear(2, 2).half()
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.side = 7
        self.sizes = [1, 2]

    def forward(self, x):
        return self.inner(x) * self.scale + self.side + self.sizes[0]


def archive(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript itself is deprecated
        network = torch.jit.script(Net().eval())
        network.save(str(folder / "net.pt"))
    return folder / "net.pt", network.state_dict()


def test_the_tensors_are_those_of_torch(tmp_path):
    file, state = archive(tmp_path)
    own = weights.read(file, "test")
    assert own.keys() == state.keys()
    for key, value in state.items():
        assert own[key].dtype == value.dtype and torch.equal(own[key], value), key


def test_an_ordinary_file_is_none(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pt")
    assert not torchscript.is_archive(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"nothing")
    assert not torchscript.is_archive(tmp_path / "b.pt")


class Hostile:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("nested", [False, True])
def test_no_code_runs(tmp_path, monkeypatch, nested):
    monkeypatch.chdir(tmp_path)
    content = {"weight": Hostile()} if nested else Hostile()
    with zipfile.ZipFile("hostile.pt", "w") as file:
        file.writestr("a/data.pkl", pickle.dumps(content, protocol=2))
        file.writestr("a/code/__torch__.py", "")
    with pytest.raises(BadParameter, match=r"it holds \w+\.system, not tensors alone"):
        weights.read("hostile.pt", "test")
    assert not (tmp_path / "executed").exists()


def test_a_damaged_archive_is_refused(tmp_path):
    file, _ = archive(tmp_path)
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(tmp_path / "cut.pt", "w") as cut:
        for name in whole.namelist():
            data = whole.read(name)
            cut.writestr(name, data[:-2] if name.endswith("data/0") else data)
    with pytest.raises(BadParameter, match="no file of tensors"):
        weights.read(tmp_path / "cut.pt", "test")
