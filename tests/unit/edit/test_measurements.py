"""What operations record: for the enclosing block, in the calling thread alone."""

import threading

import torch

import imrep
from imrep.edit import measurements


def test_records_are_of_the_enclosing_block():
    measurements.record("blur", noise=1.0)  # outside: no effect
    with measurements.recording() as outer:
        measurements.record("stretch", black=0.1)
        with measurements.recording() as inner:
            measurements.record("denoise", "a note", noise=0.2)
        measurements.record("tonemap")
    assert [record.operation for record in outer] == ["stretch", "tonemap"]
    [record] = inner
    assert (record.operation, record.values, record.note) == ("denoise", {"noise": 0.2}, "a note")


def test_other_threads_record_nothing_here():
    with measurements.recording() as records:
        thread = threading.Thread(target=measurements.record, args=("blur",))
        thread.start()
        thread.join()
    assert records == []


def test_an_operation_records_what_it_measured():
    image = 0.5 + 0.1 * torch.randn(1, 1, 96, 96)
    with measurements.recording() as records:
        imrep.edit.denoise(image.clamp(0, 1))
    [record] = records
    assert 0.08 < record.values["noise"] < 0.12
