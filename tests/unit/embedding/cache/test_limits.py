import pytest

from imrep.embedding.cache import limits
from imrep.errors import BadParameter


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5GB", 5 * 10**9), ("500 mb", 5 * 10**8), ("1.5T", 15 * 10**11), ("2GiB", 2**31),
        ("20k", 20_000), (7, 7), ("none", None), (" None ", None),
    ],
)  # fmt: skip
def test_sizes(text, size):
    assert limits.limit(text) == size


def test_the_default_and_the_variable(monkeypatch):
    monkeypatch.delenv("IMREP_CACHE_LIMIT", raising=False)
    assert limits.limit() == 5 * 10**9
    monkeypatch.setenv("IMREP_CACHE_LIMIT", "20GB")
    assert limits.limit() == 20 * 10**9
    assert limits.limit("1GB") == 10**9
    monkeypatch.setenv("IMREP_CACHE_LIMIT", "")
    assert limits.limit() == 5 * 10**9


@pytest.mark.parametrize("wrong", ["5", "GB", "-1GB", "much", "5 potatoes", 2.5, True, -3, "1e3GB"])
def test_what_is_no_size_is_refused_with_the_way_out(wrong):
    with pytest.raises(BadParameter, match="a size such as 5GB or 500MB, or none for no limit"):
        limits.limit(wrong)


@pytest.mark.parametrize("zero", [0, "0", "0GB"])
def test_zero_could_mean_two_things(zero, monkeypatch):
    with pytest.raises(BadParameter, match=r"compare needs cache_limit to be above 0.*Use none"):
        limits.limit(zero)
    monkeypatch.setenv("IMREP_CACHE_LIMIT", str(zero))
    with pytest.raises(BadParameter, match="IMREP_CACHE_LIMIT needs to be above 0"):
        limits.limit()


@pytest.mark.parametrize(
    ("text", "seconds"), [("12h", 43_200), ("30d", 2_592_000), ("1.5w", 907_200)]
)
def test_ages(text, seconds):
    assert limits.seconds(text) == seconds


@pytest.mark.parametrize("wrong", ["30", "d", "1y", "-1d"])
def test_what_is_no_age_is_refused(wrong):
    with pytest.raises(BadParameter, match="12h, 30d or 2w, got"):
        limits.seconds(wrong)


@pytest.mark.parametrize(
    ("size", "text"),
    [(900, "0.9 kB"), (5e9, "5 GB"), (9.96e6, "10 MB"), (999_600, "1 MB"), (3e15, "3000 TB")],
)
def test_sizes_as_text(size, text):
    assert limits.as_text(size) == text
