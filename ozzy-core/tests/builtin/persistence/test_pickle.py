"""The persistence `pickle` keeps state as `file` does, and goes on with jobs of the inherited system."""

import json
import pickle
from pathlib import Path

import pytest

import ozzy
from ozzy.builtin.persistence.pickle import PicklePersistence
from ozzy.cli.main import call
from ozzy.errors import ConfigError, DestinationError, StateError

READER = "exporters.readers.fs_reader.FSReader"
WRITER = "exporters.writers.fs_writer.FSWriter"
PERSISTENCE = "exporters.persistence.pickle_persistence.PicklePersistence"
RANDOM = "exporters.readers.random_reader.RandomReader"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, first in (("a", 0), ("b", 10), ("c", 20)):
        path = tmp_path / "in" / f"{name}.jl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f'{{"id": {first + number}}}\n\n' for number in range(10)))
    return tmp_path


def config(**more):
    return {
        "reader": {"name": READER, "options": {"input": "in", "batch_size": 3}},
        "writer": {"name": WRITER, "options": {"filebase": "out/part", "compression": "none"}},
        "exporter_options": {"log_level": "INFO"},
        **more,
    }


def job(position, configuration=None, *, protocol=0):
    """A state file, with the config as the text that Python 2 made of it."""
    stored = repr(configuration or config()).replace("{'", "{u'").replace(" '", " u'")
    Path("job").write_bytes(pickle.dumps({"persistence_state_id": "5e3c", "last_position": position, "configuration": stored}, protocol))
    return "pickle:job"


def ids():
    return sorted(json.loads(line)["id"] for path in Path("out").glob("part*") for line in path.read_text().splitlines())


@pytest.mark.parametrize("name", ["pickle", PERSISTENCE, PERSISTENCE.replace("exporters", "ozzy")])
def test_state_is_in_the_folder_that_it_names(name, here):
    result = ozzy.run(config(name="orders", persistence={"name": name, "options": {"file_path": "kept"}}))

    assert result.state == "finished"
    assert len([*(here / "kept" / ".ozzy").glob("*/*/run.json")]) == 1
    assert not (here / ".ozzy").exists()
    assert [b"sha256" in path.read_bytes() for path in (here / "kept").rglob("checkpoint.json")] == [True]


def test_a_state_folder_that_was_asked_for_comes_first(here, monkeypatch):
    given = config(name="orders", persistence={"name": "pickle", "options": {"file_path": "kept"}})
    ozzy.run(given, state_dir=here / "asked")
    monkeypatch.setenv("OZZY_STATE_DIR", str(here / "variable"))
    ozzy.run(given)

    assert sorted(path.name for path in here.iterdir()) == ["asked", "in", "out", "variable"]


def test_a_run_that_failed_is_gone_on_with_from_there(here, capsys):
    good = (here / "in" / "c.jl").read_text()
    (here / "in" / "c.jl").write_text("broken\n")
    given = config(name="orders", persistence={"name": "pickle", "options": {"file_path": "kept"}})
    Path("orders.json").write_text(json.dumps(given))
    assert call(["run", "orders.json"]) == 5
    assert f"--state-dir {here / 'kept' / '.ozzy'}" in capsys.readouterr().err

    (here / "in" / "c.jl").write_text(good)
    assert ozzy.run("orders.json", resume=True, accept_changes=True).state == "finished"
    assert ids() == [*range(30)]


@pytest.mark.parametrize("form", ["pickle:kept/{run}", "pickle://kept/{run}", "pickle:{here}/kept/{run}"])
def test_a_uri_names_a_run(form, here, monkeypatch):
    good = (here / "in" / "c.jl").read_text()
    (here / "in" / "c.jl").write_text("broken\n")
    given = config(name="orders", persistence={"name": PERSISTENCE, "options": {"file_path": "kept"}})
    Path("orders.json").write_text(json.dumps(given))
    assert call(["run", "orders.json"]) == 5

    (here / "in" / "c.jl").write_text(good)
    [record] = (here / "kept" / ".ozzy").glob("*/*/run.json")
    uri = form.format(run=record.parent.name, here=here)
    if "{here}" in form:
        monkeypatch.chdir("/")
    assert call(["resume", uri, "--accept-changes"]) == 0
    monkeypatch.chdir(here)
    assert ids() == [*range(30)]
    assert call(["resume", uri]) == 0


def test_a_uri_of_no_run_says_where_it_was_looked_for(here, capsys):
    ozzy.run(config(name="orders", persistence={"name": "pickle", "options": {"file_path": "kept"}}))
    assert call(["resume", "pickle:kept/20240101"]) == 7
    assert f"there is no run 20240101 in {Path('kept') / '.ozzy'}" in capsys.readouterr().err
    assert call(["resume", "pickle:kept"]) == 7
    assert "kept is a folder\nName the run in it: pickle:kept/RUN." in capsys.readouterr().err


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_an_inherited_job_is_gone_on_with_behind_what_it_had_read(protocol):
    position = {"readed_streams": ["in/a.jl"], "stream_offset": {"in/a.jl": 10, "in/b.jl": 4}, "items_count": 14}

    result = ozzy.resume(job(position, protocol=protocol), accept_changes=True)

    assert ids() == [*range(14, 30)]
    assert (result.records_read, result.records_written) == (16, 16)


def test_files_are_told_by_where_they_are(here):
    uri = job({"readed_streams": ["./in/../in/a.jl", str(here / "in" / "b.jl"), "gone.jl"], "stream_offset": {}})

    assert ozzy.resume(uri, accept_changes=True).records_written == 10


def test_it_needs_to_be_accepted_that_something_may_be_missing():
    uri = job({"readed_streams": ["in/a.jl"], "stream_offset": {}})

    with pytest.raises(StateError, match="says what an inherited run had read, but not what had arrived") as caught:
        ozzy.resume(uri)
    assert "--accept-changes" in caught.value.hint
    assert not Path("out").exists()


def test_given_again_it_goes_on_with_the_run_that_it_began(here):
    """Not with a second one: nothing comes twice."""
    (here / "out").write_text("in the way")
    uri = job({"readed_streams": ["in/a.jl"], "stream_offset": {"in/b.jl": 7}})
    with pytest.raises(DestinationError):
        ozzy.resume(uri, accept_changes=True)
    with pytest.raises(DestinationError):
        ozzy.resume(uri)

    (here / "out").unlink()
    assert call(["resume", uri]) == 0
    again = ozzy.resume(uri)

    assert again.state == "already finished"
    assert ids() == [*range(17, 30)]


@pytest.mark.parametrize("form", [json.dumps(config()), repr(json.dumps(config()))])
def test_the_config_may_be_json(form):
    Path("job").write_bytes(pickle.dumps({"persistence_state_id": "5e3c", "last_position": None, "configuration": form}, 2))

    assert ozzy.resume("pickle:job", accept_changes=True).records_written == 30


def test_a_config_that_was_kept_as_it_is():
    Path("job").write_bytes(pickle.dumps({"last_position": None, "configuration": config()}, 2))

    assert PicklePersistence.configuration_from_uri("pickle:job", "")["name"] == "pickle job"


def test_what_the_old_system_had_added_to_the_config_is_left_out():
    persistence = {"name": PERSISTENCE, "options": {"file_path": "."}}
    added = config(
        persistence={**persistence, "configuration": "{}", "resume": False, "persistence_state_id": None},
        exporter_options={"resume": True, "persistence_state_id": "5e3c", "log_level": "INFO"},
    )
    found = PicklePersistence.configuration_from_uri(job(None, added), "")

    assert found["persistence"] == persistence
    assert found["exporter_options"] == {"log_level": "INFO"}
    assert found["name"] == "pickle 5e3c"


@pytest.mark.parametrize("uri", ["pickle:job", "pickle://job", "pickle:./job", "pickle:{here}/job", "pickle://{here}/job"])
def test_forms_of_the_uri(uri, here):
    job(None)

    found = PicklePersistence.configuration_from_uri(uri.format(here=here), PicklePersistence.uri_regex)
    assert found["reader"]["name"] == READER


@pytest.mark.parametrize(
    ("position", "reader", "words"),
    [
        ({"last_read": 500}, RANDOM, f"where the reader {RANDOM} stood"),
        ({"last_key": "1"}, "hubstorage", "only positions of files"),
        ({"last_read": 1}, READER, "not that of a reader of files"),
        ("key", READER, "not that of a reader of files"),
        ({"readed_streams": [1], "stream_offset": {}}, READER, "not that of a reader of files"),
        ({"readed_streams": [], "stream_offset": {"in/a.jl": "3"}}, READER, "not that of a reader of files"),
        ({"readed_streams": [], "stream_offset": {"in/a.jl": -3}}, READER, "not that of a reader of files"),
        ({"readed_streams": [], "stream_offset": {"in/a.jl": True}}, READER, "not that of a reader of files"),
    ],
)
def test_what_can_not_be_taken_over_exactly_is_an_error(position, reader, words):
    uri = job(position, config(reader={"name": reader, "options": {"input": "in"}}))

    with pytest.raises(StateError, match=words) as caught:
        ozzy.resume(uri, accept_changes=True)
    assert "job can't be gone on with" in caught.value.message
    assert "Start anew" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps([1], 2), "not of a job"),
        (pickle.dumps({"configuration": "{}", "last_position": None}, 2), "no reader and writer"),
        (pickle.dumps({"configuration": "open('x')", "last_position": None}, 2), "no dict as Python 2 shows it"),
        (pickle.dumps({"configuration": "3", "last_position": None}, 2), "no reader and writer"),
        (b"cos\nsystem\n(S'touch evil'\ntR.", "names a class at byte 0"),
        (b"", "damaged"),
    ],
)
def test_other_files_are_an_error_and_run_nothing(content, words, here):
    Path("job").write_bytes(content)

    with pytest.raises(StateError, match=words):
        ozzy.resume("pickle:job", accept_changes=True)
    assert sorted(path.name for path in here.iterdir()) == ["in", "job"]


def test_a_missing_file_and_a_huge_one(mocker):
    with pytest.raises(StateError, match="nowhere can't be read: No such file"):
        ozzy.resume("pickle:nowhere")
    with pytest.raises(StateError, match="does not name a file"):
        PicklePersistence.configuration_from_uri("pickle:", "")
    mocker.patch("ozzy.builtin.persistence.old_job.LIMIT", 3)
    with pytest.raises(StateError, match="too large"):
        ozzy.resume(job(None))


def test_the_folder_may_not_be_empty():
    with pytest.raises(ConfigError, match="file_path"):
        PicklePersistence({"options": {"file_path": ""}})
