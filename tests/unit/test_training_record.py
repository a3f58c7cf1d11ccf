"""What a run writes is read back, also after a kill in the middle of a line."""

import pytest

from imrep import training_record
from imrep.errors import BadData
from imrep.training_record import Line, Run


def test_lines_are_read_back(tmp_path):
    lines = [Line(step=i, epoch=i / 2, loss=0.5, held_out=None if i % 2 else 0.1) for i in range(4)]
    for line in lines:
        training_record.append(tmp_path, line)
    assert training_record.read_log(tmp_path) == lines


def test_half_a_line_is_left_out_and_removed(tmp_path):
    training_record.append(tmp_path, Line(step=1, epoch=0.1))
    with (tmp_path / training_record.LOG).open("a") as file:
        file.write('{"step": 2, "ep')
    assert [line.step for line in training_record.read_log(tmp_path)] == [1]
    training_record.shorten(tmp_path, 5)
    training_record.append(tmp_path, Line(step=2, epoch=0.2))
    assert [line.step for line in training_record.read_log(tmp_path)] == [1, 2]


def test_a_resumed_run_writes_later_lines_again(tmp_path):
    for step in range(5):
        training_record.append(tmp_path, Line(step=step, epoch=0))
    training_record.shorten(tmp_path, 2)
    assert [line.step for line in training_record.read_log(tmp_path)] == [0, 1, 2]


def test_numbers_that_json_lacks_are_left_out(tmp_path):
    training_record.append(
        tmp_path, Line(step=1, epoch=0, loss=float("nan"), held_out=float("inf"))
    )
    assert training_record.read_log(tmp_path) == [Line(step=1, epoch=0)]


def test_a_run_is_read_back(tmp_path):
    run = Run(identity={"seed": 0}, facts={"images": 3}, captions=("image",), choices=({"a": 1},))
    training_record.write_run(tmp_path, run)
    assert training_record.read_run(tmp_path) == run


def test_there_may_be_no_run(tmp_path):
    assert training_record.read_run(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"identity": {}, "captions": [], "choices": [], "x": 1}']
)
def test_another_file_of_that_name_is_named(tmp_path, text):
    (tmp_path / training_record.RUN).write_text(text)
    with pytest.raises(BadData, match=r"run\.json needs to be a file that train wrote"):
        training_record.read_run(tmp_path)
