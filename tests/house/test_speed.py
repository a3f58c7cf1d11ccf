"""Reading names, cards and help costs milliseconds: nothing heavy is imported for it."""

import os
import resource
import subprocess
import sys

import pytest

BUDGET = 0.3  # seconds of CPU, specs/ecosystem.md section 2
HEAVY = {"torch", "sklearn", "lancedb", "kornia", "gradio", "torchvision", "timm", "open_clip",
         "scipy", "skimage", "cv2", "pyarrow", "jinja2", "vl_convert"}  # fmt: skip
COMMANDS = [["--help"], ["list"], ["card", "pixels"], ["cite", "pixels"], ["compare", "--help"]]


def run(*arguments, trace=False):
    """(CPU seconds, standard error) of a Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *(["-X", "importtime"] if trace else []), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def imported(trace):
    """Top-level packages that `-X importtime` names."""
    lines = [line for line in trace.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_that_only_reads_imports_anything_heavy(command):
    _, trace = run("-m", "imrep.cli", *command, trace=True)
    assert "imrep" in imported(trace)
    assert not imported(trace) & HEAVY


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_that_only_read_are_quick(command):
    best = min(run("-m", "imrep.cli", *command)[0] for _ in range(3))
    assert best < BUDGET, f"imrep {' '.join(command)} takes {best:.2f} s of CPU"


def test_importing_imrep_imports_nothing_heavy():
    _, trace = run("-c", "import imrep; imrep.card('pixels')", trace=True)
    assert "imrep" in imported(trace)
    assert not imported(trace) & (HEAVY | {"numpy", "PIL"})


def test_a_picture_of_one_does_not_import_the_networks_libraries():
    _, trace = run("-c", "import imrep; imrep.get('pixels').dim", trace=True)
    assert "torch" in imported(trace)
    assert not imported(trace) & {"timm", "torchvision", "sklearn", "open_clip"}
