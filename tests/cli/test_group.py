"""The command as a whole: help, exit codes, one line for an error, colour only where it is seen."""

import importlib
import re

import pytest
from click.testing import CliRunner

from imrep import cli
from imrep.registry import catalog

COMMANDS = sorted(cli._COMMANDS)


def test_help_of_the_group(installed, snapshot):
    said = installed("--help").stdout
    assert said == installed("-h").stdout
    assert said == snapshot


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_is_as_it_was(installed, snapshot, name):
    said = installed(name, "--help").stdout
    assert re.search(rf"Examples?:\n +imrep {name}", said)
    assert max(map(len, said.splitlines())) <= 100
    assert re.sub(r"Operations:\n[\s\S]*?\n\n", "", said) == snapshot  # those have their own test


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name):
    command = importlib.import_module(f"imrep.cli.{name}").command
    assert cli._COMMANDS[name] == command.help.partition("\n")[0]


def test_version(installed):
    import imrep as package

    assert installed("--version").stdout == f"imrep {package.__version__}\n"


def test_it_runs_as_a_module():
    import subprocess
    import sys

    for module in ("imrep", "imrep.cli"):
        done = subprocess.run(
            [sys.executable, "-m", module, "card", "nothing"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("no representation is called 'nothing'.")


def test_an_error_is_one_line_on_stderr(installed):
    done = installed("card", "laplacien", expect=1)
    assert done.stdout == ""
    assert done.stderr == "no representation is called 'laplacien'. Did you mean 'laplacian'?\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["lst"],
        ["card"],
        ["list", "--jsn"],
        ["embed", "photos", "hog"],
        ["invert", "a", "b", "--size", "x"],
    ],
)
def test_wrong_usage_exits_with_two(installed, arguments):
    done = installed(*arguments, expect=2)
    assert done.stdout == ""
    assert "Error: " in done.stderr


def test_colour_is_for_terminals(installed):
    pytest.importorskip("pty")
    assert "\x1b[" not in installed("list").stdout
    assert "\x1b[" in on_terminal("list")
    assert "\x1b[" not in on_terminal("list", NO_COLOR="1")


def on_terminal(*arguments, **more):
    """What the command writes when its output is a terminal."""
    import os
    import pty
    import subprocess
    import sys
    from pathlib import Path

    ours, theirs = pty.openpty()
    command = [Path(sys.executable).with_name("imrep"), *arguments]
    plain = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    with subprocess.Popen(command, stdout=theirs, env={**plain, "TERM": "xterm", **more}):
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 4096):
                said += piece
        except OSError:  # Linux says so when the other end is closed
            pass
    os.close(ours)
    return said.decode()


def test_the_shell_completes_names(installed):
    words = {"_IMREP_COMPLETE": "bash_complete", "COMP_WORDS": "imrep card pix", "COMP_CWORD": "2"}
    assert installed(**words).stdout == "plain,pixels\n"
    words |= {"COMP_WORDS": "imrep cite pixels+lap"}
    assert installed(**words).stdout == "plain,pixels+laplacian\n"


@pytest.mark.parametrize("name", catalog.names())
def test_no_summary_is_cut(name):
    assert catalog.entry(name).summary.endswith(".")


def test_help_after_a_command_whose_module_has_the_name_of_a_builtin():
    runner = CliRunner()
    assert runner.invoke(cli.main, ["list"]).exit_code == 0
    assert "compare" in runner.invoke(cli.main, ["--help"]).output
