import stat

import pytest

from ozzy.builtin.persistence.file import FilePersistence
from ozzy.contracts.persistence import StateLocation
from ozzy.errors import StateError


@pytest.fixture
def persistence(tmp_path):
    made = FilePersistence()
    made.open(StateLocation(tmp_path / "pipeline" / "run", "run", "pipeline"))
    return made


def test_a_new_run_has_no_checkpoint(persistence):
    assert persistence.generate_new_job() == "run"
    assert persistence.get_last_position() is None


def test_the_last_checkpoint_is_found_again(persistence):
    persistence.generate_new_job()
    for number in range(3):
        persistence.commit_position({"number": number})
    again = FilePersistence()
    again.open(persistence.location)

    assert again.get_last_position() == {"number": 2}
    assert sorted(path.name for path in persistence.location.folder.iterdir()) == ["checkpoint.1.json", "checkpoint.json"]
    persistence.close()


def test_state_is_private(persistence):
    persistence.commit_position({})

    assert stat.S_IMODE(persistence.location.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((persistence.location.folder / "checkpoint.json").stat().st_mode) == 0o600


def test_a_damaged_checkpoint_is_not_taken_for_none(persistence):
    persistence.commit_position({"number": 1})
    path = persistence.location.folder / "checkpoint.json"
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(StateError, match="is damaged"):
        persistence.get_last_position()


def test_a_failing_commit_keeps_the_checkpoint(persistence):
    persistence.commit_position({"number": 1})
    with pytest.raises(StateError):
        persistence.commit_position({"number": object()})

    assert persistence.get_last_position() == {"number": 1}
