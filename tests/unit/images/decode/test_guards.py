"""Guards around decoders: their exceptions, warnings and limits."""

import struct
import threading
import warnings

import pytest
from PIL import Image

from imrep.errors import BadFile, BadParameter
from imrep.images.decode import guards


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (EOFError(), r"is truncated \(EOFError\)\. Copy it again"),
        (OSError("image file is truncated (3 bytes)"), "is truncated"),
        (struct.error("unpack requires a buffer of 4 bytes"), "is truncated"),
        (MemoryError(), "needs more memory than there is"),
        (Image.DecompressionBombError("too big"), r"has more pixels than Pillow opens \(too big\)"),
        (NotImplementedError("unsupported mode"), r"is of a kind that cannot be read"),
        (OSError("cannot handle 7-bit layers"), r"is of a kind that cannot be read"),
        (KeyError("WIDTH"), r"is damaged \(no entry 'WIDTH'\)"),
        (ValueError("a\n  b"), r"is damaged \(a b\)\. Copy or save it again"),
    ],
)
def test_every_exception_becomes_a_reason_with_a_remedy(error, words):
    with pytest.raises(BadFile, match=f"^a.png {words}") as refusal, guards.guarded("a.png"):
        raise error
    assert refusal.value.__cause__ is error and "\n" not in str(refusal.value)


def test_a_reason_is_short_and_may_name_the_format():
    assert len(guards.reason(ValueError("x" * 5000))) < 300
    assert (
        guards.reason(ValueError("bad"), "GIF") == "is damaged (GIF: bad). Copy or save it again."
    )


def test_errors_of_imrep_and_interrupts_pass():
    for error in (BadFile("it is no image"), BadParameter("wrong"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, guards.guarded("a.png"):
            raise error
        assert caught.value is error


def warn_as(module):
    warnings.warn_explicit("careful", UserWarning, "file.py", 1, module=module)


def test_warnings_of_decoders_are_muted_and_others_are_not():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with guards.guarded("a"), guards.guarded("b"):
            warn_as("PIL.Image")
            warn_as("tifffile")
        with guards.guarded("a"):
            warn_as("PILLOW")
            warn_as("numpy")
        warn_as("PIL.Image")
    assert len(caught) == 3


def test_filters_stay_while_any_thread_is_inside():
    before = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def decode():
        with guards.guarded("a"):
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=decode)
    thread.start()
    assert entered.wait(10)
    with guards.guarded("b"):
        pass
    assert len(warnings.filters) == len(before) + 1
    leave.set()
    thread.join()
    assert list(warnings.filters) == before


def test_the_limit_of_pillow_is_lifted_for_a_block_alone(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 7)
    with pytest.raises(ZeroDivisionError), guards.one_at_a_time():
        raise ZeroDivisionError
    assert Image.MAX_IMAGE_PIXELS == 7
    with guards.one_at_a_time():  # the lock was released
        assert Image.MAX_IMAGE_PIXELS is None
