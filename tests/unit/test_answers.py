"""The table of answers: what is written is read, margins have their sign, names are plain text."""

import os

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from imrep import answers
from imrep.answers import Answers, AnswerTable, LabelAnswers, LabelAnswerTable
from imrep.errors import BadData

TABLE = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], np.float32)
LABELS = np.array([0, 1, 2])


def table(paths=("a.png", "b.png", "c.png"), specs=("hog", "cnn:arch=resnet50.a1_in1k")):
    own = Answers.of(TABLE.argmax(1), TABLE, LABELS)
    return AnswerTable(paths, LABELS, ("cat", "dog", "owl"), dict.fromkeys(specs, own))


def test_the_margin_is_below_zero_where_the_answer_is_wrong():
    own = Answers.of(TABLE.argmax(1), TABLE, LABELS)
    np.testing.assert_allclose(own.margin, [0.5, -0.2, 0.7], rtol=1e-6)
    np.testing.assert_allclose(own.probability, [0.7, 0.5, 0.8], rtol=1e-6)
    assert own.margin.dtype == own.probability.dtype == np.float32


def test_what_is_written_is_read(tmp_path):
    answers.write(tmp_path, table())
    assert [path.name for path in tmp_path.iterdir()] == ["answers.parquet"]
    columns = answers.read(tmp_path)
    assert list(columns)[:5] == ["path", "label", "hog.answer", "hog.probability", "hog.margin"]
    assert columns["label"].tolist() == ["cat", "dog", "owl"]
    assert columns["cnn:arch=resnet50.a1_in1k.answer"].tolist() == ["cat", "cat", "owl"]
    assert columns["hog.margin"].dtype == np.float32
    assert list(answers.read(tmp_path, ["hog"])) == list(columns)[:5]


def test_any_reader_of_parquet_opens_it(tmp_path):
    answers.write(tmp_path, table())
    schema = parquet.read_schema(tmp_path / answers.FILENAME)
    assert schema.field("hog.answer").type == pa.string()
    assert schema.field("hog.probability").type == pa.float32()


def test_without_classes_the_table_of_an_earlier_run_goes(tmp_path):
    answers.write(tmp_path, table())
    answers.write(tmp_path, None)
    assert answers.read(tmp_path) is None and not list(tmp_path.iterdir())


def test_names_that_are_no_text_are_spelt_as_everywhere(tmp_path):
    answers.write(tmp_path, table(paths=(os.fsdecode(b"caf\xe9.png"), "two\nlines.png", "c")))
    assert answers.read(tmp_path)["path"].tolist() == ["caf\\xe9.png", "two\\x0alines.png", "c"]


def test_a_missing_representation_or_a_broken_file_is_named(tmp_path):
    answers.write(tmp_path, table())
    with pytest.raises(BadData, match=r"a column 'dct.answer'"):
        answers.read(tmp_path, ["dct"])
    (tmp_path / answers.FILENAME).write_bytes(b"PAR1 no")
    with pytest.raises(BadData, match="cannot be read"):
        answers.read(tmp_path)


def test_several_labels_have_a_score_and_a_probability_each(tmp_path):
    scores = np.array([[0.25, -0.5], [-0.125, 1.0]])
    own = LabelAnswers(scores, scores / 4 + 0.5)
    positives = np.array([[True, True], [False, False]])
    answers.write(tmp_path, LabelAnswerTable(["a", "b"], positives, ("cat", "dog"), {"hog": own}))
    columns = answers.read(tmp_path)
    assert list(columns) == ["path", "labels", "hog.score.cat", "hog.score.dog",
                             "hog.probability.cat", "hog.probability.dog"]  # fmt: skip
    assert columns["labels"].tolist() == ["cat|dog", ""]
    assert columns["hog.score.dog"].tolist() == [-0.5, 1.0]
    assert columns["hog.probability.cat"].dtype == np.float32
