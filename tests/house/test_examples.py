"""Every example that is printed runs: of help texts, README, documentation and docstrings.

Each runs in a folder that holds what it names: photos/, cat.jpg and so on. Four things are put in
their place: `make` targets are looked up (they set up what the tests run in), `--download` becomes
random weights (nothing is fetched here), a training takes two steps, into a new folder, and a
search for an image three; of the built-in photographs every representation has a few patches.
"""

import ast
import contextlib
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tar_files import tar

import imrep
from imrep import cli
from imrep.cli import main
from imrep.registry import catalog, operations

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/pages").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_EXAMPLES = re.compile(r"Examples?:\n(.*?)(?:\n\n|\Z)", re.DOTALL)
_SLOW = "imrep compare"  # many representations
_SHORTER = {"train": "--steps 2", "invert": "--iterations 3"}


def scene(seed, height=120, width=160):
    """Smoothed noise and a wave: something that every representation has a code for."""
    noise = np.random.default_rng(seed).random((height // 4, width // 4, 3))
    large = Image.fromarray(np.uint8(255 * noise)).resize((width, height), Image.Resampling.BICUBIC)
    wave = 40 * np.sin(np.arange(width) / (3 + seed % 5))[None, :, None]
    return Image.fromarray(np.uint8(np.clip(np.asarray(large) + wave, 0, 255)))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with everything that examples name."""
    root = tmp_path_factory.mktemp("examples")
    write_images(root)
    with contextlib.chdir(root):
        run_line("imrep edit cat.png compress")
        run_line("imrep embed photos/ hog -o clip.parquet")
        run_line("imrep embed photos/ hog -o vectors.parquet")
        run_line("imrep embed photos/ hog -o clip.npz")
        if importlib.util.find_spec("lance"):
            run_line("imrep embed photos/ hog -o photos.lance")
        run_line("imrep compare photos/ -r dct")
        np.save("other.npy", np.random.default_rng(0).random((16, 5)))
        (root / "new").mkdir()
        for i in range(3):
            scene(i + 20).save(root / "new" / f"{i}.jpg")
        run_line("imrep embed new/ hog -o new.parquet")
        for folder in ("d", "run"):
            imrep.get("dct").save(f"{folder}/model")
        write_captions(sorted(Path("photos").rglob("*.png")))
        imrep.get("ikshana:variant=2S-1G,weights=random,classes=2").save("seg/model")
        write_masks()
        compare = "imrep compare photos/ -r hog --vectors mine=clip.parquet -o saving"
        run_line(f"{compare} --save model/ --save-which hog")
        run_line(f"{compare} --save own/ --save-which mine")
        run_line("imrep export pixels -o hog.onnx")
        run_line("imrep export model/ -o classifier.onnx")
        write_tables(sorted(Path("photos").rglob("*.*")))
        run_line("imrep compare tags.csv -r hog -o tagging --save tags/ --save-which hog")
        write_poses(sorted(Path("holidays").glob("*.jpg")))
        write_shards(sorted(Path("photos").rglob("*.png")))
    return root


def write_images(root):
    """Photographs in class folders, and single ones."""
    for i in range(8):
        for label in ("dune", "reef"):
            (root / "photos" / label).mkdir(parents=True, exist_ok=True)
            scene(i + 50 * (label == "reef"), 48, 64).save(root / "photos" / label / f"{i}.png")
    (root / "holidays").mkdir()
    street = scene(1, 240, 320)
    mountain = street.crop((40, 30, 280, 210))
    for name, picture in {
        "cat.jpg": scene(2), "cat.png": scene(2), "a.png": scene(3), "b.png": scene(4),
        "m.png": scene(5).convert("L"), "street.jpg": street, "page.png": street,
        "poster.jpg": mountain, "logo.png": mountain, "mountain.jpg": mountain,
        "holidays/1.jpg": street, "holidays/2.jpg": scene(6, 240, 320),
    }.items():  # fmt: skip
        picture.save(root / name, quality=95)


def write_masks():
    """Images with masks of two classes."""
    for kind in ("images", "masks"):
        Path("streets", kind).mkdir(parents=True)
        for i in range(3):
            drawn = scene(i) if kind == "images" else scene(i).convert("1").convert("L")
            drawn.save(f"streets/{kind}/{i}.png")


def write_shards(photos):
    """The photographs as shards of WebDataset, beside each other and in a folder."""
    Path("shards").mkdir()
    for shard in range(2):
        files = {}
        for path in photos[shard::2]:
            key = path.with_suffix("").as_posix().replace("/", "-")
            files |= {f"{key}.png": path.read_bytes(), f"{key}.cls": path.parent.name.encode()}
        for folder in (".", "shards"):
            tar(Path(folder, f"shards-{shard:04}.tar"), files)


def write_captions(photos):
    """Captions of the photographs, and a model with random weights that has learned their words."""
    lines = [f"{path},a {path.parent.name} by the sea" for path in photos]
    Path("captions.csv").write_text("\n".join(["path,caption", *lines]) + "\n")
    tokens = pytest.importorskip("imrep.represent.language.virtex.tokens").Tokens("virtex")
    tokens.train_on([line.partition(",")[2] for line in lines], 60)
    rep = imrep.get(catalog.entry("virtex").example, vocabulary=tokens.count)
    rep.tokens.model = tokens.model
    rep.save("words/model")


def write_poses(photos):
    """A COCO file of one mouse in each photograph, weights for poses, and a video's frames."""
    imrep.get("composite:arch=test_resnet,weights=random").save("people/model")
    Path("frames").mkdir()
    for i in range(2):
        scene(i + 30).save(f"frames/{i}.png")
    joints = ["snout", "left_ear", "right_ear", "tail"]
    category = {"id": 1, "name": "mouse", "keypoints": joints}
    category["skeleton"] = [[1, 2], [1, 3], [1, 4]]
    points = [40, 60, 2, 30, 40, 2, 60, 40, 2, 110, 130, 2]
    images, annotations = [], []
    for i, path in enumerate(photos):
        height, width = np.asarray(Image.open(path)).shape[:2]
        name = path.as_posix()
        images.append({"id": i, "file_name": name, "height": height, "width": width})
        annotations.append({"id": i, "image_id": i, "category_id": 1, "keypoints": points})
    content = {"images": images, "categories": [category], "annotations": annotations}
    Path("people.json").write_text(json.dumps(content))


def write_tables(photos):
    """Labels, prices and stars of the photographs."""
    tables = {"tags.csv": ["path,labels"], "cars.csv": ["path,price"]}
    tables["photos/split.csv"] = ["path,label,stars"]
    for i, path in enumerate(photos):
        names = [name for name, every in (("a", 2), ("b", 3)) if i % every]
        tables["tags.csv"].append(f"{path},{'|'.join(names)}")
        tables["cars.csv"].append(f"{path},{i}.5")
        inside = path.relative_to("photos")
        tables["photos/split.csv"].append(f"{inside},{inside.parent},{i % 6}")
    texts = [f"{path},a picture of {path.stem}" for path in photos]
    tables["captions.csv"] = ["path,caption", *texts]
    tables["labels.txt"] = ["a dune", "a reef, in water"]
    for name, lines in tables.items():
        Path(name).write_text("\n".join(lines) + "\n")


@pytest.fixture
def there(prepared, monkeypatch):
    monkeypatch.chdir(prepared)
    imrep.get("dct").save("report/pick")  # these images are too few for a pick of their own
    monkeypatch.setenv("IMREP_CACHE", str(prepared / "cache"))  # imrep cache clear deletes
    return prepared


def of_help():
    """(where, line) for each line of the epilogs' examples."""
    for name in ("", *cli._COMMANDS):
        command = importlib.import_module(f"imrep.cli.{name}").command if name else main
        examples = _EXAMPLES.search(command.epilog.replace("\b", ""))
        for line in examples[1].strip().splitlines():
            yield f"{name or 'imrep'} --help", re.split(r"\s{2,}", line.strip())[0]


def of_pages():
    """(where, language, text) for each block of code in the prose."""
    for page in PAGES:
        for language, text in _FENCE.findall(page.read_text(encoding="utf-8")):
            yield page.name, language, text


def of_shell():
    """(where, line) of the prose's commands."""
    for page, language, text in of_pages():
        if (language in ("", "sh") and "imrep" in text) or "make " in text:
            for line in text.splitlines():
                if written := re.split(r"\s{2,}|\s+#", line.strip())[0]:
                    yield page, written


def of_representation(name, monkeypatch):
    """The commands on the page of a representation."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    return pytest.importorskip("generate.pages").commands(catalog.entry(name))


def of_docstrings():
    """(module, name, doc) of everything public."""
    for path in sorted((ROOT / "src/imrep").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                doc = ast.get_docstring(node)
                if doc:
                    yield path.relative_to(ROOT), getattr(node, "name", "module"), doc


def cases(lines):
    """Parameters, each line once; those that take long are marked."""
    found = []
    for line, where in {line: where for where, line in lines}.items():
        is_slow = line.startswith(_SLOW) or "--engine ray" in line
        slow = [pytest.mark.slow] if is_slow else []
        found.append(pytest.param(line, id=f"{where}: {line}", marks=slow))
    return found


def run_line(line):
    """Run one line of a shell as far as it is imrep's, and return what it printed."""
    first, pipe, line = line.rpartition(" | ")
    before = pipe and subprocess.run(shlex.split(first), capture_output=True, check=True).stdout
    line, _, target = (part.strip() for part in line.partition(" > "))
    words = shlex.split(line)
    if "--download" in words:
        words.remove("--download")
        offline = {n: catalog.entry(n).example for n in ("clip", "cnn", "virtex", "vit")}
        words = [offline.get(word, word) for word in words]
    if words[0] == "make":
        return check_target(words[1])
    if words[0] == "python":
        done = subprocess.run(
            [sys.executable, *words[1:]], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert words[0] == "imrep", line
    if "ray" in words:
        pytest.importorskip("ray", reason="needs the extra ray: pip install 'imrep[ray]'")
    words = with_small_clip(words)
    words = shortened(words)
    done = CliRunner().invoke(main, words[1:], input=before, catch_exceptions=False)
    assert done.exit_code == 0, f"{line}\n{done.output}"
    if target:
        Path(target).write_text(done.stdout, encoding="utf-8")
    return done.stdout


def small_clip():
    """A CLIP that needs no download."""
    if "clip" not in catalog.names():
        pytest.skip("needs clip")
    pytest.importorskip("open_clip", reason="needs the extra clip: pip install 'imrep[clip]'")
    return catalog.entry("clip").example


def with_small_clip(words):
    """The same, by the small CLIP where it is by CLIP."""
    is_stored = "photos.lance" in words  # searched by what wrote it
    default = words[1] in ("classify", "search") and "-r" not in words and not is_stored
    if not default and not (words[1] == "evaluate" and "clip" in words):
        return words
    words = [small_clip() if word == "clip" else word for word in words]
    return [*words, "-r", small_clip()] if default else words


def shortened(words):
    """A training of two steps, which resumes nothing; a search of three; a comparison of few."""
    if words[1:] == ["compare"]:
        return [*words, "--max-images", "16"]
    if words[1] not in _SHORTER:
        return words
    text = re.sub(r" --(minutes|epochs|steps|iterations) \S+", "", shlex.join(words))
    words = shlex.split(f"{text} {_SHORTER[words[1]]}")
    if words[1] == "invert":
        return words
    pytest.importorskip("lightning", reason="needs the extra train: pip install 'imrep[train]'")
    return [*words, "-o", tempfile.mkdtemp(dir=".")]


def check_target(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z ]+):(?!=)", makefile, re.MULTILINE)
    assert target in " ".join(targets).split(), f"make {target} does not exist"
    return ""


@pytest.mark.parametrize("line", cases([*of_help(), *of_shell()]))
def test_a_command_runs_as_it_is_printed(there, line):
    if line.startswith("python"):  # it reads what the line before it wrote
        run_line("imrep embed photos/ hog -o vectors.parquet")
    run_line(line)


@pytest.mark.parametrize("name", catalog.names())
def test_the_commands_of_a_page_run(there, monkeypatch, name):
    for line in of_representation(name, monkeypatch):
        if not line.startswith(_SLOW):
            run_line(line)


@pytest.mark.slow
@pytest.mark.parametrize("name", catalog.names())
def test_the_slow_commands_of_a_page_run(there, monkeypatch, name):
    for line in of_representation(name, monkeypatch):
        if line.startswith(_SLOW):
            run_line(line)


@pytest.mark.slow  # some of them compare
@pytest.mark.parametrize(
    ("page", "text"), [(page, text) for page, language, text in of_pages() if language == "python"]
)
def test_a_block_of_python_runs(there, page, text):
    if "card = Card(" in text or "def test_" in text:
        pytest.skip("a file of its own: test_contributing.py writes and runs it")
    if '"clip"' in text:
        text = text.replace('"clip"', f'"{small_clip()}"')
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, page, "exec"), names := {})
    if "vector" in names:  # "(1, 1764), whatever the image's size"
        assert f"({', '.join(map(str, names['vector'].shape))})" in text


def test_extras_in_the_documentation_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    asked = set(re.findall(r"pip install '[^']*\[(\w+)\]'", text))
    assert asked and asked <= project["optional-dependencies"].keys()


def test_an_example_of_a_docstring_is_a_doctest():
    """`--doctest-modules` runs those; one without a prompt would be read by nobody."""
    examples = []
    for where, name, doc in of_docstrings():
        for section in re.split(r"^\s*Examples?:\n", doc, flags=re.MULTILINE)[1:2]:
            assert section.lstrip().startswith(">>>"), f"{where}: {name}"
            examples.append(name)
    assert len(examples) > 25


@pytest.mark.parametrize("name", catalog.names())
def test_a_card_stands_by_itself(name):
    for parameter in catalog.entry(name).parameters:
        assert not re.search(r"\b(see|\() ?above|\(above\)|see below", parameter.help), parameter


@pytest.mark.parametrize("name", operations.names())
def test_an_operation_stands_by_itself(name):
    for parameter in operations.entry(name).parameters:
        assert not re.search(r"see above|\(above\)|see below", parameter.help), parameter


def test_every_command_has_an_example():
    assert {where.split()[0] for where, _ in of_help()} == {"imrep", *cli._COMMANDS}
    assert isinstance(main, click.Group)
