"""Options of several commands: what each takes, and what it answers to anything else."""

import json
import math

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from imrep.cli import options


def run(command, *words):
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def command_with(*decorators):
    """A command that prints its arguments."""

    def echo(**named):
        click.echo("|".join(f"{name}={value!r}" for name, value in sorted(named.items())))

    for decorator in decorators:
        echo = decorator(echo)
    return click.command()(echo)


class TestSide:
    @given(st.integers(1, options.LARGEST_SIDE))
    def test_pixels_up_to_the_limit(self, side):
        assert options.SIDE.convert(str(side), None, None) == side
        assert options.SIDE.convert(side, None, None) == side

    def test_native_is_zero_however_often_it_is_read(self):
        native = options.SIDE.convert("native", None, None)
        assert native == options.SIDE.convert(native, None, None) == 0

    @pytest.mark.parametrize(
        "value", ["0", "-1", "+5", "1.5", "1e3", "", "Native", "16385", "9" * 5000, "²", "١", " 5"]
    )
    def test_anything_else_is_refused(self, value):
        with pytest.raises(click.BadParameter, match="a size is native or 1 to 16384 pixels"):
            options.SIDE.convert(value, None, None)


class TestNumber:
    def test_the_ends_of_a_range_are_in_it_and_nan_is_not(self):
        number = options.Number(0, 1)
        assert [number.convert(text, None, None) for text in ("0", "1", "1e-3")] == [0, 1, 0.001]
        for text in ("nan", "-nan", "1.01", "-1", "inf", "x", ""):
            with pytest.raises(click.BadParameter):
                number.convert(text, None, None)


class TestDataRange:
    @pytest.mark.parametrize(
        ("text", "value"), [("0,4095", (0, 4095)), ("-1e3, 2.5", (-1000, 2.5)), ("1,0", (1, 0))]
    )
    def test_two_numbers(self, text, value):
        kind = options.DataRange()
        assert kind.convert(text, None, None) == value
        assert kind.convert(value, None, None) is value

    @pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "1;2", ","])
    def test_anything_else_is_refused_with_an_example(self, text):
        with pytest.raises(click.BadParameter, match="two numbers such as 0,4095"):
            options.DataRange().convert(text, None, None)


class TestOutput:
    def test_a_path(self, tmp_path):
        assert options.OUTPUT.convert(str(tmp_path / "a.png"), None, None) == tmp_path / "a.png"
        assert str(options.OUTPUT.convert("./-", None, None)) == "-"

    @pytest.mark.parametrize("text", ["", " ", "\t", "-", "a\0b"])
    def test_no_name(self, text):
        with pytest.raises(click.BadParameter, match="an output needs a name, got"):
            options.OUTPUT.convert(text, None, None)


class TestSpec:
    def complete(self, text):
        return [item.value for item in options.SPEC.shell_complete(None, None, text)]

    def test_the_last_view_is_completed(self):
        assert "hog" in self.complete("ho") and self.complete("pixels+ho") == ["pixels+hog"]
        assert self.complete("nothing") == [] and len(self.complete("")) == len(self.complete("a+"))

    def test_an_item_has_a_line_of_help(self):
        assert all(item.help for item in options.SPEC.shell_complete(None, None, ""))


def test_an_old_option_sets_the_new_one_with_a_remark():
    command = command_with(
        options.renamed("--most", "--max-images", click.INT), click.option("--max-images", type=int)
    )
    result = run(command, "--most", "0")
    assert result.stdout == "max_images=0\n"
    assert result.stderr == "--most is --max-images now; the next release drops the old name\n"
    plain = run(command, "--max-images", "3")
    assert (plain.stdout, plain.stderr) == ("max_images=3\n", "")
    assert "--most" not in run(command, "--help").stdout
    both = run(command, "--max-images", "3", "--most", "2")
    assert both.exit_code == 2 and "got both. Leave --most out." in both.stderr


def test_options_of_the_machine_come_as_one():
    command = command_with(options.machine)
    words = ["--threads", "2", "--seed", "7", "--device", "cpu", "--download", "-q", "-v"]
    machine = options.Machine(2, 7, "cpu", True, True, True)
    assert run(command, *words).stdout == f"machine={machine!r}\n"
    default = options.Machine(None, 0, "auto", False, False, False)
    assert run(command).stdout == f"machine={default!r}\n"


@pytest.mark.parametrize(
    "words",
    ["--threads 0", "--threads 257", "--seed -1", f"--seed {2**32}", "--device tpu"],
)
def test_options_out_of_range_are_refused_as_usage(words):
    assert run(command_with(options.machine), *words.split()).exit_code == 2


def test_settings_for_reading_come_as_one_and_the_rest_stays_at_its_default():
    from imrep.images import DEFAULT_READING, Reading

    command = command_with(options.reading)
    assert run(command).stdout == f"reading={DEFAULT_READING!r}\n"
    result = run(command, "--max-pixels", 9, "--data-range", "0,5")
    assert result.stdout == f"reading={Reading(max_pixels=9, data_range=(0.0, 5.0))!r}\n"


def test_examples_are_lines_that_click_does_not_wrap():
    assert options.example("a") == "\b\nExample:\n  a"
    assert options.example("a", "b") == "\b\nExamples:\n  a\n  b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(JSON)
def test_json_is_read_back_with_null_for_what_is_not_finite(value):
    def finite(each):
        if isinstance(each, float) and not math.isfinite(each):
            return None
        if isinstance(each, list):
            return [finite(inner) for inner in each]
        return {k: finite(v) for k, v in each.items()} if isinstance(each, dict) else each

    @click.command()
    def command():
        options.write_json(value)

    assert json.loads(run(command).stdout) == finite(value)
