"""Names of the files of several representations."""

from pathlib import Path

from imrep.api import embedding_outputs


def names(*specs):
    return [
        path.name
        for path in embedding_outputs.output_files(specs, Path("out"), several=True).values()
    ]


def test_a_name_alone_or_the_spec_where_it_occurs_twice():
    assert names("hog", "dct") == ["hog.parquet", "dct.parquet"]
    assert names("hog:cell=4", "dct") == ["hog.parquet", "dct.parquet"]
    assert names("hog", "hog:cell=4", "hog+dct") == [
        "hog.parquet", "hog-cell=4.parquet", "hog+dct.parquet"
    ]  # fmt: skip


def test_names_stay_in_the_folder_and_are_different():
    long = [f"cnn:weights='/{'x' * 200}/{i}'" for i in range(2)]
    made = names(*long, "../up.rep")
    assert len(set(made)) == 3 and all("/" not in name and len(name) < 130 for name in made)


def test_one_representation_is_a_file():
    assert embedding_outputs.output_files(("hog",), Path("v"), several=False) == {
        "hog": Path("v.parquet")
    }
    assert embedding_outputs.output_files(("hog", "hog"), Path("v"), several=True) == {
        "hog": Path("v/hog.parquet")
    }
