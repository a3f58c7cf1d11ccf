"""The C kernels as a whole: found, switched off, left out where they cannot be built."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imrep import _native
from imrep._native import signatures

ROOT = Path(__file__).parents[2]
NAMES = ["kernels", "jpeg"]


@pytest.mark.parametrize("name", NAMES)
def test_switched_off_there_is_none(name):
    with _native.switched_off():
        assert _native.library(name) is None
        with _native.switched_off():
            assert _native.library(name) is None
        assert _native.library(name) is None
    assert (_native.library(name) is not None) == _native.built(name)


def test_switched_on_again_after_an_error():
    before = _native.library("kernels")
    with pytest.raises(ZeroDivisionError), _native.switched_off():
        raise ZeroDivisionError
    assert _native.library("kernels") is before


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_switches_off(name):
    code = f"from imrep import _native; print(_native.library('{name}'), _native.state('{name}'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"IMREP_NATIVE": "0"},
        text=True,
        capture_output=True,
        check=True,
    )
    why = "switched off by IMREP_NATIVE" if _native.built(name) else "not built: needs a C compiler"
    assert done.stdout.startswith(f"None {why}")


def test_small_numbers_survive_loading():
    for name in NAMES:
        _native.library(name)
    assert 1e-310 * 0.5 > 0  # -ffast-math would have set flush-to-zero


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler here")
def test_where_a_compiler_is_the_kernels_are_built():
    assert _native.library("kernels") is not None
    assert _native.state("kernels") == "in use"


def test_without_a_compiler_it_installs_all_the_same(tmp_path):
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "src" / "imrep" / "_native", tmp_path / "src" / "imrep" / "_native")
    for built in (tmp_path / "src").rglob("*.so"):
        built.unlink()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "-q", "build_ext", "--inplace"],
        cwd=tmp_path,
        env=os.environ | {"CC": "false"},  # a command that fails
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "src").rglob("*.so"))


@pytest.mark.parametrize("code", ["", "int imrep_abi(void) { return -1; }"])
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler here")
def test_a_library_of_another_build_is_refused_by_name(tmp_path, monkeypatch, code):
    (tmp_path / "old.c").write_text(code)
    stale = tmp_path / "_kernels.so"
    subprocess.run(["gcc", "-shared", "-o", stale, tmp_path / "old.c"], check=True)
    monkeypatch.setattr(_native, "_path", lambda name: stale)
    _native._load.cache_clear()
    try:
        with pytest.warns(UserWarning, match="_kernels.so is of another build .* `make native`"):
            assert _native.library("kernels") is None
        assert _native.state("kernels") == "of another build and left out"
    finally:
        _native._load.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_every_exported_function_has_a_signature(name):
    if shutil.which("nm") is None or not _native.built(name):
        pytest.skip("needs nm and the library")
    table = subprocess.run(
        ["nm", "-D", "--defined-only", _native._path(name)],
        text=True,
        capture_output=True,
        check=True,
    )
    exported = {line.split()[-1] for line in table.stdout.splitlines()}
    ours = {function for function in exported if function.startswith("imrep_")}
    assert ours == set(signatures.SIGNATURES[name])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler here")
def test_every_kernel_under_address_and_undefined_behaviour_sanitizers(tmp_path):
    sources = sorted(str(p) for p in _native._FOLDER.glob("*.c") if p.stem != "jpeg")
    library = tmp_path / "_kernels.so"
    flags = ["-O1", "-g", "-std=c11", "-shared", "-fPIC", "-fno-sanitize-recover=all"]
    sanitizers = "-fsanitize=address,undefined"
    subprocess.run(["gcc", *flags, sanitizers, "-o", library, *sources, "-lm"], check=True)
    runtime = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], text=True, capture_output=True, check=True
    ).stdout.strip()
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("sanitized_kernels.py"), library],
        env=os.environ | {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_make_says_what_was_left_out(tmp_path):
    package = tmp_path / "imrep"
    shutil.copytree(ROOT / "src" / "imrep" / "_native", package / "_native")
    (package / "__init__.py").touch()
    for built in package.rglob("*.so"):
        built.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "imrep._native"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        text=True,
        capture_output=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert "slower, with equal results" in lines[0] and "Debian: gcc)" in lines[0]
    assert "libjpeg62-turbo-dev" in lines[1] and "`make native`" in lines[1]
