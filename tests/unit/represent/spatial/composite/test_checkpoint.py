import collections
import os
import pickle
import sys
import types
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

import imrep
from imrep.errors import BadParameter
from imrep.networks import Request
from imrep.represent.spatial.composite import COCO, pickles
from imrep.represent.spatial.composite.network import build
from imrep.testing import photo


class Meta:
    """Stands for the metas of heads, which are no part of imrep."""


class Shell(nn.Module):
    """Stands for the class of the official network."""


class CompositeField4(nn.Module):
    """Stands for the official head."""


class CompositeField3(CompositeField4):
    """Stands for an older head."""


def mirrored(module):
    """The same layers inside modules of the official package."""
    if not [*module.children()]:
        return module
    shell = Shell()
    for name, child in module.named_children():
        shell.add_module(name, mirrored(child))
    return shell


@pytest.fixture
def official(monkeypatch):
    """Write a network as OpenPifPaf does: a pickle that names its own classes."""
    module = types.ModuleType("openpifpaf.network")
    for kind in (Meta, Shell, CompositeField4, CompositeField3):
        monkeypatch.setattr(kind, "__module__", module.__name__)
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "openpifpaf", types.ModuleType("openpifpaf"))
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def write(path, network, head=CompositeField4, **more):
        shell, parts = Shell(), []
        for own, joints in zip(network.head_nets, (True, False), strict=True):
            composite, meta = head(), Meta()
            meta.keypoints, meta.sigmas = list(COCO.joints), list(COCO.sigmas)
            meta.pose = np.array(COCO.pose)
            if not joints:
                meta.skeleton = [tuple(pair) for pair in (COCO.pairs + 1).tolist()]
            composite.meta, composite.conv = meta, own.conv
            parts.append(composite)
        shell.base_net, shell.head_nets = mirrored(network.base_net), nn.ModuleList(parts)
        shell.process_heads = {1, 2}
        torch.save({"model": shell, "epoch": 250, "meta": {"args": Meta()}, **more}, path)

    return write


def tiny(upsample=2, seed=0):
    torch.manual_seed(seed)
    network, _, _ = build(
        Request("shufflenetv2k16", "random", -1, None, "mean", "c"), COCO, upsample
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
    return network.eval()


@pytest.mark.parametrize("upsample", [1, 2])
def test_a_file_in_the_official_layout_gives_its_network(tmp_path, official, upsample, monkeypatch):
    network = tiny(upsample)
    official(tmp_path / "k16.pkl", network)
    for name in ("openpifpaf", "openpifpaf.network"):
        monkeypatch.delitem(sys.modules, name)
    rep = imrep.get(f"composite:weights={tmp_path / 'k16.pkl'}")
    assert (rep.arch, rep.upsample, rep.joints) == ("shufflenetv2k16", upsample, COCO)
    image = photo(65, 97)
    code = rep.encode(image)
    like = imrep.get(f"composite:weights=random,upsample={upsample}")
    like.network.load_state_dict(network.state_dict())
    assert torch.equal(code.confidence, like.encode(image).confidence)
    assert "openpifpaf" not in sys.modules
    folder = rep.save(tmp_path / "saved")
    again = imrep.load(folder)
    assert torch.equal(again.encode(image).vectors, code.vectors)
    assert again.fingerprint == rep.fingerprint


class Command:
    """Runs a command where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("deep", [False, True])
def test_a_pickle_that_would_run_a_command_is_refused_by_name(tmp_path, official, deep):
    sentinel = tmp_path / "ran"
    if deep:
        official(tmp_path / "bad.pkl", tiny(), extra=[Command(sentinel)])
    else:
        torch.save({"model": Command(sentinel)}, tmp_path / "bad.pkl")
    with pytest.raises(
        BadParameter, match=r"refuses to read bad\.pkl: its pickle names \w+\.system"
    ):
        imrep.get(f"composite:weights={tmp_path / 'bad.pkl'}")
    assert not sentinel.exists()


def archive(path, pickled, **records):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickled)
        for name, content in records.items():
            file.writestr(f"archive/data/{name[1:]}", content)
    return path


def call(module, name, *arguments):
    """A pickle that calls a function."""
    body = b"".join(pickle.dumps(a, 2)[2:-1] for a in arguments)
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"(" + body + b"tR."


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "getattr"),
        ("builtins", "__import__"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("torch.serialization", "load"),
        ("torch._utils", "_rebuild_wrapper_subclass"),
        ("functools", "partial"),
        ("operator", "attrgetter"),
        ("importlib", "import_module"),
        ("openpifpaf_evil", "run"),
        ("imrep.io.files", "write_text"),
    ],
)
def test_every_other_name_is_refused(tmp_path, module, name):
    path = archive(tmp_path / "bad.pkl", call(module, name, "1"))
    with pytest.raises(BadParameter, match=f"names {module}.{name}, which is no part"):
        pickles.read(path, "composite")


def test_what_networks_name_is_not_imported_nor_called(tmp_path):
    names = [
        ("numpy.testing", "rundocs"),
        ("torch.nn.modules.module", "Module"),
        ("_codecs", "encode"),
    ]
    for module, name in names:
        path = archive(tmp_path / "inert.pkl", call(module, name, "1"))
        content = pickles.read(path, "composite")
        assert isinstance(content, pickles.Inert) and content.origin == f"{module}.{name}"


def storage(count, key="0"):
    """A pickle of one tensor of `count` numbers."""
    head = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
    head += b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    parts = [pickle.dumps(v, 2)[2:-1] for v in (key, "cpu", count)]
    tail = b"K\x00" + b"".join(pickle.dumps(v, 2)[2:-1] for v in ((2, 2), (2, 1), False))
    return head + b"".join(parts) + b"tQ" + tail + b"ccollections\nOrderedDict\n)RtR."


def test_a_tensor_is_rebuilt(tmp_path):
    numbers = np.arange(4, dtype=np.float32)
    path = archive(tmp_path / "t.pkl", storage(4), r0=numbers.tobytes())
    assert torch.equal(pickles.read(path, "c"), torch.from_numpy(numbers).view(2, 2))


@pytest.mark.parametrize(
    ("pickled", "records"),
    [
        (storage(3), {"r0": bytes(12)}),  # fewer numbers than the shape needs
        (storage(4), {"r0": bytes(12)}),
        (storage(-1), {"r0": bytes(12)}),
        (storage(4, "../data.pkl"), {}),
        (storage(4, "absent"), {}),
        (b"", {}),
        (b"\x80\x02(((", {}),
        (pickle.dumps({"epoch": 1}), {}),
        (pickle.dumps([1, 2]), {}),
        (b"\x80\x02" + b"(" * 100_000, {}),
    ],
)
def test_damaged_files_are_refused(tmp_path, pickled, records):
    path = archive(tmp_path / "broken.pkl", pickled, **records)
    with pytest.raises(
        BadParameter, match=r"composite (cannot read weights from|needs) .*broken\.pkl"
    ):
        imrep.get(f"composite:weights={path}")


def test_compressed_records_are_refused(tmp_path):
    path = tmp_path / "bomb.pkl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", pickle.dumps({}))
    with pytest.raises(BadParameter, match="is compressed"):
        pickles.read(path, "composite")


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps(collections.OrderedDict())])
def test_files_that_torch_did_not_write_are_refused(tmp_path, content):
    path = tmp_path / "other.pkl"
    path.write_bytes(content)
    with pytest.raises(BadParameter, match=r"other\.pkl: it is no archive that torch\.save writes"):
        imrep.get(f"composite:weights={path}")


def test_older_heads_are_refused_by_name(tmp_path, official):
    official(tmp_path / "old.pkl", tiny(), head=CompositeField3)
    with pytest.raises(BadParameter, match=r"CompositeField4 in old\.pkl, got CompositeField3"):
        imrep.get(f"composite:weights={tmp_path / 'old.pkl'}")


def test_parameters_that_the_weights_contradict_are_refused(tmp_path, official):
    official(tmp_path / "k16.pkl", tiny(1))
    with pytest.raises(BadParameter, match="needs arch=shufflenetv2k16 for the weights"):
        imrep.get(f"composite:weights={tmp_path / 'k16.pkl'},arch=shufflenetv2k30")


def test_a_state_dict_alone_is_read(tmp_path):
    network = tiny()
    torch.save(network.state_dict(), tmp_path / "state.pt")
    rep = imrep.get(f"composite:weights={tmp_path / 'state.pt'}")
    assert rep.upsample == 2
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(BadParameter, match=r"head_nets\.0\.conv\.bias, got none in other\.pt"):
        imrep.get(f"composite:weights={tmp_path / 'other.pt'}")
