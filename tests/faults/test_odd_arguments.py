"""Whatever is typed, a command ends with its result or with one line: never with a traceback."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from imrep.cli import main

SPECS = [
    "", " ", "hog:", "+", "hog+", "+hog", "hog:cell", "hog:cell=", "hog:cell=1e9", "hog:cell=nan",
    "hog:cell=-1", "hog:cell=0", "hog:cell=4,cell=5", "hog:x=1", "hgo", "hgo:2", "'", "hog:cell='4",
    "hog:cell=99999999999999999999999", "../hog", "hog/", "hög", "hog hog", "a" * 3000, "HOG",
    "pixels:side=-3", "bandpass:low=nan", "gradient:sigma=nan", "corner:sigma=inf", "cnn:arch=nope",
    "cnn:weights=folder", "filterbank:bank=plain", "kernel:kernel=folder", "laplacian:levels=99",
    "sift:words=0", "segment:regions=1000000", "tanhpolar:side=0", "blob:max_sigma=inf",
    "bilateral:sigma_range=nan", "scattering:scales=40", "histogram:bins=100000",
]  # fmt: skip
SOURCES = [
    "", "nothing", "folder", "plain", "empty.png", "groups.csv", "odd.csv", "junk.parquet",
    "junk.zip", "-", "[", "no/*.jpg", "a" * 300, "é/ü", "~nobody", "photos\n", "/dev/null",
]  # fmt: skip
OUTS = [
    "", " ", "folder", "folder/", "plain/x.png", "plain/x.parquet", "/proc/x.png", "x", "x.xyz",
    "a" * 300 + ".png", ".", "..", "\0.png",
]  # fmt: skip
CHAINS = [
    "", " ", ",", "blur,", "blur:", "blur:sigma", "blur:sigma=nan", "blur:sigma=1e9", "gamma:2",
    "gamma", "blur:2", "blur+blur", "blend", "blend:with=nothing.png,mask=folder", "compress,blur",
    "decode", "sharpen:kernel=folder", "stretch:low=90,high=10", "enhance:gains=x", "BLUX:Sigma=2",
    "median:iterations=100000", "denoise:noise=nan", "close:size=2.5", "tonemap:contrast=inf",
]  # fmt: skip
OPTIONS = {
    ("embed", "photos", "pixels", "-o", "v.parquet"): {
        "--size": ["0", "-1", "nan", "", "1", "99999", "1e3", "²", "1.5"],
        "--batch": ["0", "-1"],
        "--shard": ["0", "x"],
        "--threads": ["0", "257"],
        "--seed": ["-1", "99999999999999999999", "nan", ""],
        "--device": ["tpu", "mps", ""],
        "--data-range": ["", "1", "1,0", "nan,1", "0,0", "a,b"],
        "--max-pixels": ["0", "1", "-1"],
    },
    ("embed", "photos", "sift:words=4", "-o", "w.parquet"): {"--seed": ["-1", str(2**64)]},
    ("compare", "photos", "-r", "pixels"): {
        "--size": ["0", "7", "99999", "nan"],
        "--sizes": [",", "", "7", "8,", "nan", "-3", "99999999"],
        "--margin": ["nan", "-1", "101", "x"],
        "--max-images": ["1", "0", "x"],
        "--seed": ["-1", str(2**64)],
        "--groups": ["nothing", "folder", "odd.csv", "empty.png", "groups.csv", "cat.png"],
        "--same-object": ["nothing", "folder", "odd.csv", "empty.png", "groups.csv", "cat.png"],
    },
    ("picture", "cat.png", "sift:words=4"): {
        "--size": ["0", "1"],
        "--fit": ["nothing", "plain"],
    },
    ("invert", "cat.png", "hog"): {"--iterations": ["0", "-1", "x"], "--size": ["0", "1"]},
    ("match", "cat.png", "photos", "-o", "m.csv"): {
        "--longest": ["0", "1", "nan"],
        "--ratio": ["nan", "0", "2", "inf"],
        "--within": ["nan", "0", "-1"],
    },
    ("edit", "cat.png", "blur"): {"--curve": ["x.png", "."], "--about": ["", "nope"]},
}


def scene(seed):
    y, x = np.mgrid[:40, :40] / 6
    waves = [np.sin(x + seed), np.cos(y - seed), np.sin(x * y / 9 + seed)]
    return Image.fromarray(np.uint8(127.5 + 110 * np.stack(waves, axis=2)))


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A few pictures, and what is none."""
    monkeypatch.chdir(tmp_path)
    for i in range(6):
        folder = tmp_path / "photos" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        scene(i).save(folder / f"{i}.png")
    scene(0).save("cat.png")
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("x", encoding="utf-8")
    (tmp_path / "empty.png").touch()
    (tmp_path / "groups.csv").write_text("path,group\n", encoding="utf-8")
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00\n,,,")
    for name in ("junk.parquet", "junk.zip"):
        (tmp_path / name).write_text("junk", encoding="utf-8")
    return tmp_path


def ends_well(*words):
    """The exit code; nothing but an ImrepError's line or click's usage comes out."""
    done = CliRunner().invoke(main, words, input="", catch_exceptions=False)
    shown = [word if len(word) < 40 else word[:40] + "…" for word in words]
    assert done.exit_code in (0, 1, 2, 3), shown
    assert "Traceback" not in done.output, shown
    if done.exit_code == 1:
        assert done.stderr.count("\n") - done.stderr.count(" left out\n") == 1, (shown, done.stderr)
    if done.exit_code == 2:
        assert "Error: " in done.stderr, shown
    return done


@pytest.mark.parametrize("spec", SPECS)
def test_odd_specs(there, spec):
    ends_well("card", "--", spec)
    ends_well("cite", "--", spec)
    ends_well("picture", "-o", "x.png", "--", "cat.png", spec)
    ends_well("match", "cat.png", "cat.png", "-r", spec, "-o", "m.png")


@pytest.mark.parametrize("spec", ["", "hog:", "hgo:2", "hog:cell=0"])
def test_odd_specs_of_long_commands(there, spec):
    assert ends_well("embed", "photos", spec, "-o", "v.parquet").exit_code == 1
    assert ends_well("compare", "photos", "-r", spec, "-r", "pixels").exit_code == 1
    assert ends_well("invert", "cat.png", spec).exit_code == 1


@pytest.mark.parametrize("data", SOURCES)
def test_odd_data(there, data):
    for words in (
        ("embed", data, "pixels", "-o", "v.parquet"),
        ("compare", data, "-r", "pixels"),
        ("picture", data, "pixels"),
        ("invert", data, "pixels"),
        ("edit", data, "blur"),
        ("match", data, "cat.png"),
        ("match", "cat.png", data, "-o", "m.csv"),
        ("picture", "cat.png", "sift:words=4", "-o", "x.png", "--fit", data),
    ):
        if "\0" not in data:
            assert ends_well(*words).exit_code in (1, 2), words


@pytest.mark.parametrize("out", OUTS)
def test_odd_outputs(there, out):
    kept = (there / "plain").read_text(encoding="utf-8")
    for words in (
        ("embed", "photos", "pixels", "-o", out),
        ("picture", "cat.png", "pixels", "-o", out),
        ("invert", "cat.png", "pixels", "-o", out),
        ("edit", "cat.png", "blur", "-o", out),
        ("match", "cat.png", "photos", "-o", out),
        ("match", "cat.png", "cat.png", "-o", out),
        ("edit", "cat.png", "compress", "-o", "c.imr", "--curve", out),
    ):
        ends_well(*words)
    assert (there / "plain").read_text(encoding="utf-8") == kept


@pytest.mark.parametrize("out", ["", "plain", "plain/r", "/proc/r", "a" * 300])
def test_odd_folders_of_reports_are_refused(there, out):
    assert ends_well("compare", "photos", "-r", "pixels", "-o", out).exit_code in (1, 2)


@pytest.mark.parametrize("chain", CHAINS)
def test_odd_chains(there, chain):
    assert ends_well("edit", "cat.png", chain, "-o", "x.png").exit_code == 1


@pytest.mark.parametrize(
    ("words", "option", "value"),
    [(w, o, v) for w, options in OPTIONS.items() for o, values in options.items() for v in values],
    ids=lambda part: part[0] if isinstance(part, tuple) else part or "empty",
)
def test_odd_values_of_options(there, words, option, value):
    ends_well(*words, option, value)


@pytest.mark.parametrize("word", ["lst", "EMBED", "--jsn", "", "embd"])
def test_odd_commands(there, word):
    assert ends_well(word).exit_code == 2


def test_the_nearest_command_is_offered():
    assert "Did you mean 'list'?" in ends_well("lst").stderr
    assert "Did you mean" not in ends_well("xyzzy").stderr
    assert ends_well("LIST").exit_code == 0


def test_names_are_taken_in_any_letter_case():
    assert ends_well("card", "HOG:cell=4").stdout == ends_well("card", "hog:cell=4").stdout
    said = ends_well("card", "Histogramm+HOG").stderr
    assert said == "no representation is called 'Histogramm'. Did you mean 'histogram'?\n"


def test_a_wrong_name_is_said_before_its_parameters():
    assert ends_well("edit", "cat.png", "gamma:2").stderr.startswith(
        "no operation is called 'gamma'."
    )
    assert ends_well("card", "gamma:2").stderr.startswith("no representation is called 'gamma'.")


@pytest.mark.parametrize("given", [3, None, b"hog", 2.5, ["hog"]])
def test_what_is_no_spec_is_refused_in_words(given):
    import imrep

    with pytest.raises(imrep.errors.BadParameter, match=r"^a spec needs to be text such as"):
        imrep.get(given)


@pytest.mark.parametrize(
    "words", [["list"], ["card", "hog"], ["cite", "hog", "sift"], ["list", "--json"]]
)
def test_a_reader_that_leaves_early_is_no_error(words):
    command = f"{sys.executable} -m imrep {' '.join(words)}"
    script = f"{command} | head -c 1 >{os.devnull}; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "" and done.stdout.strip() in ("0", "1")


def test_a_terminal_without_unicode_shows_what_it_can():
    done = subprocess.run(
        [sys.executable, "-m", "imrep", "list"], capture_output=True, check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert b"histogram" in done.stdout and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [("invert", "cat.png", "filterbank"), ("match", "cat.png", "cat.png"), ("list",),
     ("card", "sift"),
     ("embed", "photos", "pixels", "-o", "v.npz"), ("edit", "cat.png", "compress", "-o", "c.imr")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_json_is_valid_json(there, words):
    def refuse(constant):
        raise AssertionError(constant)

    done = ends_well(*words, "--json")
    assert done.exit_code == 0 or words[0] == "match", done.output
    if done.exit_code == 0:
        json.loads(done.stdout, parse_constant=refuse)


def test_what_is_not_finite_is_null_in_json(capsys):
    from imrep.cli import options

    options.write_json({"psnr": float("inf"), "more": [float("nan"), 1.5, "\udce9"]})
    assert json.loads(capsys.readouterr().out) == {"psnr": None, "more": [None, 1.5, "\\xe9"]}


@pytest.mark.parametrize("command", ["picture", "invert"])
def test_an_impossible_output_is_said_before_the_work(there, monkeypatch, command):
    from imrep.cli import engine

    monkeypatch.setattr(engine, "image", lambda *_, **__: pytest.fail("the work had begun"))
    done = ends_well(command, "cat.png", "hog", "-o", "plain/p.png")
    assert done.exit_code == 1 and done.stderr.startswith("plain/p.png cannot be written: ")


@pytest.mark.parametrize(
    ("words", "name"),
    [(("picture", "IT", "pixels"), "cat.pixels.png"),
     (("invert", "IT", "pixels"), "cat.pixels.inverted.png")],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_default_name_never_writes_over_what_is_of_another_picture(there, words, name):
    (there / "other").mkdir()
    scene(5).save(there / "other" / "cat.png")
    of = lambda path: [path if word == "IT" else word for word in words]  # noqa: E731
    assert ends_well(*of("cat.png")).exit_code == 0
    before = (there / name).read_bytes()
    assert ends_well(*of("cat.png")).exit_code == 0  # the same again
    done = ends_well(*of("other/cat.png"))
    assert done.exit_code == 1 and name in done.stderr and "-o" in done.stderr
    assert (there / name).read_bytes() == before
    assert ends_well(*of("other/cat.png"), "-o", name).exit_code == 0  # it was asked for


def test_a_ranking_under_its_default_name_is_not_written_over(there):
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    Image.fromarray(noise).save("cat.png")
    (there / "cat.photos.match.csv").write_text("mine", encoding="utf-8")
    done = ends_well("match", "cat.png", "photos")
    assert done.exit_code == 1 and "-o cat.photos.match.csv" in done.stderr
    assert (there / "cat.photos.match.csv").read_text(encoding="utf-8") == "mine"
    assert ends_well("match", "cat.png", "photos", "-o", "cat.photos.match.csv").exit_code == 0


def test_a_report_that_replaces_another_says_so(there):
    for name in ("one", "two"):
        (there / name).mkdir()
        for i in range(4):
            scene(i + len(name)).save(there / name / f"{i}.png")
    words = ("-r", "pixels", "--size", "16")
    assert "replaces" not in ends_well("compare", "one", *words).stderr
    assert "replaces" not in ends_well("compare", "one", *words).stderr
    said = ends_well("compare", "two", *words).stderr
    assert "report contained a report on one; it is replaced" in said


def test_a_default_name_has_no_wildcard(there):
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    Image.fromarray(noise).save("cat.png")
    assert ends_well("match", "cat.png", "photos/*/*.png").exit_code == 0
    assert not [path for path in there.iterdir() if "*" in path.name]
