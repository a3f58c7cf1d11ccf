"""`imrep evaluate` as a process."""

import csv
import json

import pytest
from tiny_bilingual import as_plugin, write_photos


@pytest.fixture(scope="module")
def evaluate(imrep, tmp_path_factory):
    """Run `imrep evaluate tinycolours photos` in a folder with squares of three colours."""
    root = tmp_path_factory.mktemp("evaluate")
    write_photos(root / "photos")
    (root / "photos" / "red" / "r9.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    lines = [f"{name}/{name[0]}0.png,a {name} square" for name in ("red", "green", "blue")]
    (root / "photos" / "captions.csv").write_text("path,caption\n" + "\n".join(lines) + "\n")
    plugin = as_plugin(root / "plugin") | {"IMREP_CACHE": str(root / "cache")}
    evaluate = lambda task, *words, run=imrep, **more: run(  # noqa: E731
        "evaluate", "tinycolours", "photos", "--task", task, *words, cwd=root, **more, **plugin
    )
    evaluate.root = root
    return evaluate


def test_zeroshot_is_a_line_with_its_interval(evaluate, installed):
    done = evaluate("zeroshot", "-o", "figures.csv", "--strict", expect=3, run=installed)
    first, second = done.stdout.splitlines()
    assert first == "tinycolours on photos, 12 images"
    assert second.startswith("top-1  100 % (") and second.endswith("guessing 33)")
    assert "red/r9.jpg: " in done.stderr
    (row,) = csv.DictReader((evaluate.root / "figures.csv").read_text().splitlines())
    assert (row["name"], row["value"], row["n"]) == ("top-1", "1", "12")


def test_retrieval_and_captions_as_json(evaluate):
    facts = json.loads(evaluate("retrieval", "--json").stdout)
    assert {row["name"]: row["value"] for row in facts["figures"]} == {
        "image → text R@1": 1, "text → image R@1": 1,
    }  # fmt: skip
    facts = json.loads(evaluate("caption", "--json").stdout)
    assert facts["captions"][0] == {"path": "blue/b0.png", "caption": "a blue square"}


def test_a_task_is_required_and_lines_of_refusal_are_one(evaluate):
    assert "Invalid value for '--task'" in evaluate("prob", expect=2).stderr
    (evaluate.root / "photos" / "captions.csv").rename(evaluate.root / "kept.csv")
    done = evaluate("retrieval", expect=1)
    assert len(done.stderr.splitlines()) == 1 and "needs captions, got none" in done.stderr
