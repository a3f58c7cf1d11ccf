"""The lines of a comparison at several sizes: every number at its size."""

from types import SimpleNamespace

from imrep.cli.size_lines import size_lines


def line(spec, size, score=None, name="accuracy"):
    scored = {} if score is None else {name: score, "lo": score - 0.1, "hi": score + 0.1}
    return {"spec": spec, "size": size, "ms": size / 100, **scored}


def compared(*by_size):
    specs = list(dict.fromkeys(each["spec"] for each in by_size))
    return SimpleNamespace(
        by_size=lambda: list(by_size), table=lambda: [{"spec": spec} for spec in specs]
    )


def test_without_sizes_there_is_no_line():
    assert size_lines(compared()) == []


def test_each_number_stands_below_its_size():
    lines = size_lines(compared(line("hog", 32, 0.5), line("dct", 32, 0.25), line("hog", 64, 0.75)))
    assert lines == [
        "By image size: accuracy (95% CI), ms",
        "                     32 px                64 px",
        "  hog  50% (40-60)   0.320  75% (65-85)   0.640",
        "  dct  25% (15-35)   0.320                    -",
    ]


def test_the_precision_of_objects_has_its_name():
    assert size_lines(compared(line("hog", 32, 0.5, "object")))[0].endswith("mAP (95% CI), ms")


def test_without_scores_there_are_times():
    assert size_lines(compared(line("hog", 32)))[::2] == ["By image size: ms", "  hog  0.320"]


def test_the_best_are_printed_and_the_others_counted():
    lines = size_lines(compared(*[line(f"r{i}", 32, 0.5) for i in range(10)]))
    assert len(lines) == 11 and lines[-1] == "  2 others in the report"
