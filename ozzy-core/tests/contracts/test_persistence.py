from pathlib import Path

import pytest

from ozzy.contracts.persistence import BasePersistence, StateLocation


def test_it_is_told_where_the_state_belongs():
    persistence = BasePersistence()
    location = StateLocation(Path("state/run"), "run", "pipeline")
    persistence.open(location)

    assert persistence.location == location
    assert (persistence.kind, persistence.shared, persistence.uri_regex) == ("persistence", False, "")


@pytest.mark.parametrize(("method", "arguments"), [("generate_new_job", ()), ("get_last_position", ()), ("commit_position", ({},))])
def test_an_author_is_told_what_is_missing(method, arguments):
    class Notebook(BasePersistence):
        pass

    with pytest.raises(NotImplementedError, match=rf"^Notebook has no {method}\(\)$"):
        getattr(Notebook(), method)(*arguments)
    with pytest.raises(NotImplementedError, match=r"^Notebook has no configuration_from_uri\(\)$"):
        Notebook.configuration_from_uri("notebook://1", "")
