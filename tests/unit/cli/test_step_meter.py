"""A line for each evaluation where there is no terminal, a bar where there is one."""

import sys

from imrep.cli import screen
from imrep.cli.step_meter import StepMeter
from imrep.training_record import Line

LINE = Line(step=10, epoch=1, loss=0.25, held_out=0.5, learning_rate=0.001, images_per_second=1234)


def test_a_line_for_each_evaluation(capsys):
    with screen.Meter() as bars:
        meter = StepMeter(bars)
        meter(Line(step=9, epoch=0.9, loss=1.0), 2000)
        meter(LINE, 2000)
    assert capsys.readouterr().err.splitlines() == [
        "step 10/2,000  loss 0.25  held out 0.5  learning rate 0.001  1,234 images/s"
    ]


def test_quiet_is_quiet(capsys):
    with screen.Meter(quiet=True) as bars:
        StepMeter(bars, quiet=True)(LINE, 2000)
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setattr(screen, "_DELAY", 0.0)
    with screen.Meter() as bars:
        bars("decoding", 5, 5)
        meter = StepMeter(bars)
        meter(LINE, 2000)
        meter(Line(step=11, epoch=1.1, loss=0.125, learning_rate=0.001), 2000)
        (task,) = bars._bars.tasks
        assert (task.completed, task.total) == (11, 2000)
        assert task.description == "loss 0.125  held out 0.5  learning rate 0.001"
        meter(LINE, 2000)
        assert [other.id == task.id for other in bars._bars.tasks] == [False]
