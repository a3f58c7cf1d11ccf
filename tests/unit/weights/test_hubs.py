"""When downloads are allowed, and where the caches lie."""

import threading
from pathlib import Path

import pytest

from imrep.weights import hubs


@pytest.fixture(autouse=True)
def online(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def test_downloads_are_allowed_in_a_block_alone():
    assert not hubs.may_download()
    with hubs.allow_download():
        with hubs.allow_download():
            assert hubs.may_download()
        assert hubs.may_download()
    assert not hubs.may_download()


def test_a_failed_block_ends_the_permission():
    with pytest.raises(ZeroDivisionError), hubs.allow_download():
        raise ZeroDivisionError
    assert not hubs.may_download()


def test_other_threads_are_not_allowed():
    results = []
    with hubs.allow_download():
        thread = threading.Thread(target=lambda: results.append(hubs.may_download()))
        thread.start()
        thread.join()
    assert results == [False]


@pytest.mark.parametrize(
    ("value", "offline"),
    [("1", True), ("true", True), ("ON", True), ("Yes", True), ("0", False), ("", False)],
)
def test_offline_by_any_word_of_the_hub(monkeypatch, value, offline):
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    with hubs.allow_download():
        assert hubs.may_download() != offline


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HF_HOME": "~/x"}, str(Path.home() / "x" / "hub")),
        ({}, str(Path.home() / ".cache" / "huggingface" / "hub")),
    ],
)
def test_the_cache_of_the_hub_by_its_documented_rules(monkeypatch, variables, folder):
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert hubs._hub_cache() == Path(folder)
