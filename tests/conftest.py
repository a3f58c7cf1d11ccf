"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest
from commands import run
from hypothesis import settings

settings.register_profile("imrep", deadline=None, derandomize=True)  # no test by stopwatch or luck
settings.load_profile("imrep")

_HERE = Path(__file__).parent
_DATA = Path(os.environ.get("IMREP_DATA", _HERE.parent.parent / "shared" / "data"))

collect_ignore = [
    "plugin"
]  # somebody else's package: test_plugin.py installs it and runs its tests


def pytest_collection_modifyitems(config, items):
    """Leave out what `no_shapes` marks while jaxtyping checks every annotated shape."""
    if not config.getoption("--jaxtyping-packages", default=None):
        return
    skip = pytest.mark.skip(
        reason="--jaxtyping-packages refuses bad images first, and cannot be compiled"
    )
    for item in items:
        if item.get_closest_marker("no_shapes"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _settled():
    """One thread and one seed, so that numbers do not depend on the machine or the order."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def inside(monkeypatch, tmp_path):
    """Run commands in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture
def shared_data():
    """Folder of real images that may not be copied into the repository."""
    if not _DATA.is_dir():
        pytest.skip(f"no shared data at {_DATA}; set IMREP_DATA to its folder")
    return _DATA


_REFERENCES = _DATA.parent / "refs"


@pytest.fixture(params=["computed", "stored"] if _REFERENCES.is_dir() else ["computed"])
def references(request):
    """Arrays of a topic to be equalled, computed here; stored ones too where there are any."""
    import references as module

    if request.param == "stored":
        return lambda topic: module.stored(topic, _REFERENCES)
    return module.computed


@pytest.fixture
def refs(shared_data):
    """Reference outputs of the peers, beside the shared data."""
    folder = shared_data.parent / "refs"
    if not folder.is_dir():
        pytest.skip(
            f"no reference outputs at {folder}; set IMREP_DATA to a data folder beside refs/"
        )
    return folder
