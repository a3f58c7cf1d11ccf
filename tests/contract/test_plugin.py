"""A package of somebody else joins through its entry point, and is put through the contract."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent.parent / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The plugin as an installer leaves it: its package, and its entry points in a dist-info."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(PLUGIN / "src", site, dirs_exist_ok=True)
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    info = site / f"imrep_moments-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return site


def python(site, *arguments):
    paths = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | settings,
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )


def test_contract_holds(installed):
    done = python(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                  "-c", str(PLUGIN / "pyproject.toml"), str(PLUGIN / "tests"))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout and "skipped" not in done.stdout


def test_card_is_read_without_importing_it(installed):
    code = (
        "import sys, imrep; print(imrep.card('moments').title, 'moments' in imrep.names());"
        "print(sorted({'torch', 'imrep_moments'} & sys.modules.keys()))"
    )
    done = python(installed, "-W", "error", "-c", code)
    assert done.stdout.splitlines() == ["Colour moments True", "[]"], done.stderr


def test_name_is_the_entry_points(installed):
    code = (
        "from imrep_moments.colour import Moments; import imrep;"
        "print(Moments(skew=False).spec, imrep.get('moments').dim)"
    )
    done = python(installed, "-c", code)
    assert done.stdout.split() == ["moments:skew=false", "9"], done.stderr


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ("hog = imrep_moments.colour:Moments", "the name is taken"),
        ("nothing = imrep_nothing:Nothing", "its source file does not exist"),
        ("empty = imrep_moments:Moments", "defines no class with a literal"),
    ],
)
def test_a_plugin_that_cannot_be_is_left_out_with_the_reason(installed, tmp_path, point, why):
    shutil.copytree(installed, tmp_path / "site")
    info = next((tmp_path / "site").glob("*.dist-info"))
    (info / "entry_points.txt").write_text(f"[imrep.representations]\n{point}\n")
    done = python(tmp_path / "site", "-c", "import imrep; print('moments' in imrep.names())")
    assert done.stdout.strip() == "False"
    assert why in done.stderr and point.partition(" ")[0] in done.stderr
