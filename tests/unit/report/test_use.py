"""What a reader may copy: only what is there, quoted; tests of the pick run it."""

import ast

import report_fixture as fixture

from imrep.report import use
from imrep.report.findings import Findings

FEW = {"dct": fixture.SPECS["dct"]}


def code(folder, sentence="one", data="photos"):
    rows = fixture.rows(sentence, specs=FEW)
    rows[-1].detail["data"] = data
    return use.code(Findings(rows), folder)


def test_lines_speak_of_what_is_in_the_folder(tmp_path):
    assert code(tmp_path) == ""
    folder = fixture.write(tmp_path / "report", "one", specs=FEW, count=12)
    assert not use.is_saved(folder)
    assert (
        code(folder).splitlines()[-1] == f'answers = parquet.read_table("{folder}/answers.parquet")'
    )
    assert "imrep." not in code(folder)
    (folder / "pick").mkdir()
    (folder / "pick" / "config.json").write_text("{}")
    assert use.is_saved(folder)
    assert 'vectors = imrep.embed("photos", rep, size=64).vectors' in code(folder)


def test_data_that_nobody_typed_are_not_embedded(tmp_path):
    folder = fixture.write(tmp_path, "one", specs=FEW, count=12)
    (folder / "pick").mkdir()
    (folder / "pick" / "config.json").write_text("{}")
    assert "embed" not in code(folder, data="") and "load" in code(folder, data="")


def test_quotes_in_names_stay_names(tmp_path):
    folder = fixture.write(tmp_path / 'a "b"', "one", specs=FEW, count=12)
    (folder / "pick").mkdir()
    (folder / "pick" / "config.json").write_text("{}")
    tree = ast.parse(code(folder, data='x"); import os; os.remove("y'))
    assert [type(node).__name__ for node in tree.body] == ["Import", "ImportFrom", *3 * ["Assign"]]
