"""Where weights come from; nothing is fetched here, for the network is a function that fails."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from imrep import weights
from imrep.errors import BadParameter, WeightsNeeded

_STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4)}
_REPOSITORY = "somebody/something"
_URL = "https://nowhere.invalid/net-12345678.pth"


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """Empty caches of both libraries, and no environment that forbids a download."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path


@pytest.fixture
def network(monkeypatch):
    """Requests, counted and refused."""
    asked = []

    def refuse(*args, **more):
        asked.append(args)
        raise OSError("the cable is out")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    return asked


def _same(state):
    assert state.keys() == _STATE.keys()
    assert all(torch.equal(state[key], _STATE[key]) for key in _STATE)


def test_seeded_weights_repeat_and_leave_the_random_state_unchanged():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = weights.seeded(lambda: nn.Linear(4, 4))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first.weight, weights.seeded(lambda: nn.Linear(4, 4)).weight)
    assert not torch.equal(first.weight, weights.seeded(lambda: nn.Linear(4, 4), seed=1).weight)


@pytest.mark.parametrize("wrap", [None, "state_dict", "model", "model_state_dict"])
def test_reads_a_state_dict_alone_or_wrapped(tmp_path, wrap):
    torch.save({wrap: _STATE, "epoch": 3} if wrap else _STATE, tmp_path / "net.pt")
    _same(weights.read(tmp_path / "net.pt", "cnn"))


def test_reads_a_folder_and_a_safetensors_file(tmp_path):
    save_file(_STATE, tmp_path / "weights.safetensors")
    _same(weights.read(tmp_path, "cnn"))
    _same(weights.read(str(tmp_path / "weights.safetensors"), "cnn"))


def test_absent_weights_say_what_may_be_passed(tmp_path):
    with pytest.raises(
        WeightsNeeded, match=r"is no folder, no file and no installed package\. Pass"
    ):
        weights.read(tmp_path / "absent", "cnn")
    with pytest.raises(WeightsNeeded, match=r"holds no weights\.safetensors"):
        weights.read(tmp_path, "cnn")


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle ran code",))


def test_code_in_a_pickle_is_not_run(tmp_path):
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(_Bomb(), protocol=2))
    torch.save({"a": _Bomb()}, tmp_path / "zipped.pt")
    for name in ("bomb.pt", "zipped.pt"):
        with pytest.raises(BadParameter, match=f"cnn cannot read weights from {name}"):
            weights.read(tmp_path / name, "cnn")


@pytest.mark.parametrize("name", ["torn.safetensors", "torn.pt", "empty.pt"])
def test_broken_files_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"" if name == "empty.pt" else b"PK\x03\x04 no archive")
    with pytest.raises(BadParameter, match=f"cnn cannot read weights from {name}"):
        weights.read(tmp_path / name, "cnn")


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}])
def test_what_holds_no_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(BadParameter, match=r"needs tensors by name in net\.pt, got"):
        weights.read(tmp_path / "net.pt", "cnn")


def test_published_are_read_from_torchs_cache(caches, network):
    (caches / "torch" / "checkpoints").mkdir(parents=True)
    torch.save(_STATE, caches / "torch" / "checkpoints" / "net-12345678.pth")
    _same(weights.published("net", "cnn", repository=_REPOSITORY, url=_URL))
    assert not network


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_published_are_read_from_the_hubs_cache(caches, network, name):
    folder = caches / "hub" / f"models--{_REPOSITORY.replace('/', '--')}"
    snapshot = folder / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123")
    if name.endswith("bin"):
        torch.save(_STATE, snapshot / name)
    else:
        save_file(_STATE, snapshot / name)
    _same(weights.published("net", "cnn", repository=_REPOSITORY, url=_URL))
    assert not network


def test_nothing_is_fetched_unasked(caches, network):
    with pytest.raises(WeightsNeeded) as caught:
        weights.published("net.tag", "cnn", repository=_REPOSITORY, url=_URL)
    for part in ("net.tag", str(caches / "hub"), "--download", "weights=FOLDER"):
        assert part in str(caught.value)
    assert not network


def test_offline_is_obeyed_even_where_downloads_are_allowed(network, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with weights.allow_download(), pytest.raises(WeightsNeeded):
        weights.published("net", "cnn", repository=_REPOSITORY)
    assert not network


@pytest.mark.parametrize("place", [{"repository": _REPOSITORY}, {"url": _URL}])
def test_a_failed_download_says_why(network, place):
    with weights.allow_download(), pytest.raises(WeightsNeeded, match="the cable is out"):
        weights.published("net", "cnn", **place)
    assert len(network) == 1
    assert not weights.may_download()


def test_an_allowed_download_goes_into_the_cache(caches, monkeypatch):
    def fetch(url, file, progress):
        assert url == _URL
        torch.save(_STATE, file)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    with weights.allow_download():
        _same(weights.published("net", "cnn", url=_URL))
    _same(weights.published("net", "cnn", url=_URL))


def test_the_hub_is_queried_for_safetensors_first(caches, monkeypatch):
    from huggingface_hub.errors import EntryNotFoundError

    asked = []

    def fetch(repository, name):
        asked.append(name)
        if name == "model.safetensors":
            raise EntryNotFoundError("404")
        torch.save(_STATE, caches / name)
        return str(caches / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    with weights.allow_download():
        _same(weights.published("net", "cnn", repository=_REPOSITORY))
    assert asked == ["model.safetensors", "pytorch_model.bin"]


def test_offline_the_second_file_is_not_requested(caches, monkeypatch):
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked = []

    def fetch(repository, name):
        asked.append(name)
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    with weights.allow_download(), pytest.raises(WeightsNeeded, match="no connection"):
        weights.published("net", "cnn", repository=_REPOSITORY)
    assert asked == ["model.safetensors"]


def test_an_empty_cache_is_recognised(caches):
    assert not weights.any_cached()
    (caches / "torch" / "checkpoints").mkdir(parents=True)
    assert not weights.any_cached()
    torch.save(_STATE, caches / "torch" / "checkpoints" / "net-12345678.pth")
    assert weights.any_cached()


def test_weights_without_a_host_cannot_be_published():
    with pytest.raises(WeightsNeeded, match=r"none of lenet5 are hosted\. Pass weights=random"):
        weights.published("lenet5", "cnn")


def test_digest_knows_numbers_names_and_types_not_order():
    assert weights.digest(_STATE) == weights.digest(dict(reversed(_STATE.items())))
    others = [
        {**_STATE, "b": torch.ones(4).double()},
        {**_STATE, "b": torch.tensor([1.0, 1, 1, 2])},
        {"a.weight": _STATE["a.weight"].reshape(3, 2), "b": _STATE["b"]},
        {"a": _STATE["a.weight"], "b": _STATE["b"]},
    ]
    found = {weights.digest(state) for state in (_STATE, *others)}
    assert len(found) == 5
    assert all(len(digest) == 12 for digest in found)
