"""What appears on stderr: bars, remarks, and errors of the system in one line."""

import errno
import os
import warnings

import pytest

from imrep.cli import screen
from imrep.errors import BadData, BadFile


class Bars:
    """Records what a progress bar is told."""

    def __init__(self):
        self.tasks, self.number, self.stopped = {}, 0, False

    def add_task(self, what, total):
        self.number += 1
        self.tasks[self.number] = (what, 0, total)
        return self.number

    def remove_task(self, task):
        del self.tasks[task]

    def update(self, task, completed, total, description):
        self.tasks[task] = (description, completed, total)

    def stop(self):
        self.stopped = True


@pytest.fixture
def bars(monkeypatch):
    """The bars of a terminal, two seconds into the run."""
    created = []
    monkeypatch.setattr(screen, "_bars", lambda: created.append(Bars()) or created[-1])
    monkeypatch.setattr(screen.sys.stderr, "isatty", lambda: True, raising=False)
    clock = [0.0]
    monkeypatch.setattr(screen.time, "monotonic", lambda: clock[0])
    created.append(clock)
    return created


class TestMeter:
    def test_there_is_one_bar_for_the_stage_that_runs(self, bars):
        with screen.Meter() as meter:
            meter("reading", 0, 5)
            assert len(bars) == 1  # in the first two seconds none appears
            bars[0][0] = 2.5
            meter("reading", 1, 5)
            meter("reading", 2, 6)
            assert list(bars[1].tasks.values()) == [("reading", 2, 6)]
            meter("encoding", 3, 9)
            assert list(bars[1].tasks.values()) == [("encoding", 3, 9)]
            meter("encoding", 4, 9, "encoding, 7 images/s")
            assert list(bars[1].tasks.values()) == [("encoding, 7 images/s", 4, 9)]
            meter("encoding · 2 skipped", 5, 9)
            assert list(bars[1].tasks.values()) == [("encoding · 2 skipped", 5, 9)]
            assert bars[1].number == 2  # the same bar
            assert not bars[1].stopped
        assert bars[1].stopped and len(bars) == 2

    def test_there_is_none_under_quiet_or_without_a_terminal(self, bars, monkeypatch):
        quiet = screen.Meter(quiet=True)
        monkeypatch.setattr(screen.sys.stderr, "isatty", lambda: False, raising=False)
        piped = screen.Meter()
        bars[0][0] = 9.0
        for meter in (quiet, piped):
            with meter:
                meter("reading", 1, 5)
        assert len(bars) == 1

    def test_it_stops_on_an_error_and_lets_it_pass(self, bars):
        meter = screen.Meter()
        bars[0][0] = 9.0
        meter("reading", 1, 5)
        with pytest.raises(KeyboardInterrupt), meter:
            raise KeyboardInterrupt
        assert bars[1].stopped


def test_remarks_go_to_stderr_unless_quiet(capsys):
    screen.notes(["one.", "two."])
    screen.notes(["three."], quiet=True)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.splitlines() == ["one.", "two."]


def test_each_warning_is_remarked_once_and_errors_pass(capsys):
    with pytest.raises(KeyError), screen.warnings_remarked(False):
        raise KeyError
    with screen.warnings_remarked(False):
        for text in ("b", "a", "b"):
            warnings.warn(text, UserWarning, stacklevel=1)
    with screen.warnings_remarked(True):
        warnings.warn("quiet", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "b\na\n"


class TestWriting:
    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
    def test_a_full_disk_has_a_remedy(self, number, tmp_path):
        out = tmp_path / "out.png"
        reason = os.strerror(number)
        with pytest.raises(BadFile) as failure, screen.writing(out):
            raise OSError(number, reason)
        assert str(failure.value) == f"{out} cannot be written: {reason}. Free space there."
        with pytest.raises(BadFile, match="Free space there and repeat the command; it resumes"):  # noqa: SIM117
            with screen.writing(out, resumable=True):
                raise OSError(number, reason)

    def test_another_error_has_its_reason_alone(self, tmp_path):
        with pytest.raises(BadFile, match=r"Permission denied\.$"), screen.writing(tmp_path / "o"):
            raise PermissionError(errno.EACCES, "x")
        with pytest.raises(BadFile, match=r"two lines\.$"), screen.writing(tmp_path / "o"):
            raise OSError("two\n  lines")

    @pytest.mark.parametrize(
        ("file", "named"), [("d/out.part", "d/out"), ("d", "d/out"), ("cache/x", "cache/x")]
    )
    def test_the_file_that_is_named_is_the_output_or_lies_elsewhere(self, tmp_path, file, named):
        with pytest.raises(BadFile) as failure, screen.writing(tmp_path / "d/out"):
            raise OSError(errno.ENOSPC, "x", str(tmp_path / file))
        assert str(failure.value).startswith(f"{tmp_path / named} cannot be written")

    def test_errors_of_imrep_and_of_the_program_pass(self, tmp_path):
        for error in (BadData("reason"), ValueError("reason"), KeyboardInterrupt()):
            with pytest.raises(type(error)) as failure, screen.writing(tmp_path / "out"):
                raise error
            assert failure.value is error


@pytest.mark.parametrize(("quiet", "expected"), [(False, "judging takes long\n"), (True, "")])
def test_what_takes_long_is_announced_on_a_line(capsys, quiet, expected):
    with screen.Meter(quiet) as meter:
        meter("judging takes long", 0, 0)
        meter("judging", 0, 5)
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(("speed", "text"), [(None, ""), (3.21, "3.2/s"), (123.4, "123/s")])
def test_the_bar_shows_how_many_a_second(speed, text):
    class Task:
        finished_speed = None

    task = Task()
    task.speed = speed
    with warnings.catch_warnings():
        bars = screen._bars()
    bars.stop()
    (column,) = [column for column in bars.columns if type(column).__name__ == "Speed"]
    assert column.render(task).plain == text
