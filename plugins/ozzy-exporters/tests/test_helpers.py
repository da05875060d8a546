"""Small things that modules import: helpers, errors, metadata, progress of transfers."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ozzy import ConfigError, DestinationError, Metadata
from ozzy_exporters import exceptions, helpers, progress
from ozzy_exporters.meta import ExportMeta


def test_a_value_at_the_end_of_a_path():
    record = {"city": {"name": "Łódź", "ids": [1]}, "": 5}
    assert helpers.nested_dict_value(record, ["city", "name"]) == "Łódź"
    assert helpers.nested_dict_value(record, [""]) == 5
    assert helpers.nested_dict_value(record, []) is record


@pytest.mark.parametrize(("path", "error"), [(["town"], KeyError), (["city", "zip"], KeyError), (["city", "ids", "0"], TypeError)])
def test_a_path_that_leads_nowhere(path, error):
    with pytest.raises(error):
        helpers.nested_dict_value({"city": {"ids": [1]}}, path)


def test_a_temporary_folder_is_private_and_goes_with_its_files_after_an_error_too():
    seen = []

    def fails():
        with helpers.TemporaryDirectory() as folder:
            Path(folder, "file").write_text("x")
            seen.append((Path(folder), Path(folder).stat().st_mode & 0o077))
            raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        fails()
    assert [(folder.exists(), mode) for folder, mode in seen] == [(False, 0)]


def test_a_temporary_file_is_not_there_until_it_is_written():
    with helpers.TmpFile() as name:
        assert not Path(name).exists()
        Path(name).write_text("x")
    assert not Path(name).parent.exists()


def test_removing_what_is_not_there_is_no_error():
    Path("here").touch()
    helpers.remove_if_exists("here")
    helpers.remove_if_exists("here")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "name", ["InvalidExpression", "InvalidDateRangeError", "UnsupportedCompressionFormat", "WriterNotSupportingGroupedBatch"]
)
def test_errors_of_a_config_are_errors_of_a_config(name):
    assert issubclass(getattr(exceptions, name), ConfigError)


def test_an_inconsistent_destination_is_an_error_of_the_destination_and_a_limit_is_none():
    assert issubclass(exceptions.InconsistentWriteState, DestinationError)
    assert exceptions.ItemsLimitReached.__mro__[1] is Exception


def test_metadata_as_programs_make_them():
    meta = ExportMeta(None)
    assert isinstance(meta, Metadata)
    assert (meta.configuration, meta.accurate_items_count, meta.bypassed_pipeline, meta.end_time) == ({}, True, False, None)
    meta.per_module.setdefault("writer", {})["items_count"] = 3
    assert meta.writer["items_count"] == 3
    assert meta.to_dict()["writer"] == {"items_count": 3}
    with pytest.raises(AttributeError, match="under 'reader'"):
        _ = meta.reader
    with pytest.raises(AttributeError):
        _ = meta._writer


def test_a_start_time_may_be_given():
    then = datetime(2020, 1, 2, tzinfo=UTC)
    assert ExportMeta({"reader": {}}, then).start_time == then
    assert ExportMeta({}, start_time=None).start_time is not None


def test_metadata_of_a_run_are_shown_as_they_stand():
    run = Metadata(configuration={"name": "x"}, run_id="r")
    shown = ExportMeta.of(run)
    run.per_module["reader"] = {"read_items": 5}
    assert (shown.configuration, shown.run_id, shown.reader) == ({"name": "x"}, "r", {"read_items": 5})


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_progress_is_logged_once_a_minute_at_the_most(clock, caplog):
    caplog.set_level(logging.INFO)
    upload = progress.BotoUploadProgress(logging.getLogger("transfer"))
    for seconds in (10, 59, 60, 90, 121):
        clock[0] = 1000 + seconds
        upload(seconds * 1000, 240_000)
    assert [record.getMessage() for record in caplog.records] == [
        "sent 60,000 of 240,000 bytes in 60 s, 1,000 bytes/s, about 180 s left",
        "sent 121,000 of 240,000 bytes in 121 s, 1,000 bytes/s, about 119 s left",
    ]


@pytest.mark.parametrize(("name", "word"), [("FtpUploadProgress", "sent"), ("FtpDownloadProgress", "received")])
def test_progress_of_ftp_counts_blocks(clock, caplog, name, word):
    caplog.set_level(logging.INFO)
    told = getattr(progress, name)(logging.getLogger("transfer"), log_interval=1)
    told(b"x" * 1500)
    clock[0] += 2
    told(b"x" * 500)
    assert [record.getMessage() for record in caplog.records] == [f"{word} 2,000 bytes in 2 s, 1,000 bytes/s"]


@pytest.mark.parametrize(
    ("name", "word"), [("SftpUploadProgress", "sent"), ("SftpDownloadProgress", "received"), ("BotoDownloadProgress", "received")]
)
def test_progress_of_a_transfer_that_has_not_moved(clock, caplog, name, word):
    caplog.set_level(logging.INFO)
    getattr(progress, name)(logging.getLogger("transfer"), log_interval=0)(0, 10)
    assert [record.getMessage() for record in caplog.records] == [f"{word} 0 of 10 bytes in 0 s, 0 bytes/s"]


def test_a_caller_may_say_itself_which_way_it_goes(clock, caplog):
    caplog.set_level(logging.INFO)
    progress.BaseProgressCallback(logging.getLogger("transfer"), 0).log_transfer_progress(5, is_upload=True)
    assert caplog.records[0].getMessage().startswith("sent 5 bytes")
