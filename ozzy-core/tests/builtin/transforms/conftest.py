"""Transforms are run from lines and from records, and both have to come to the same."""

import json
from copy import deepcopy

import pytest

from ozzy import Batch, DataError


def _outcome(transform, batch):
    try:
        return repr([dict(record) for record in transform.transform_batch(batch).records])
    except DataError as error:
        return f"{error.row}: {error.message}"


@pytest.fixture
def made():
    """What a transform makes of some records, which it leaves as they are."""

    def made(transform, *records):
        lines = [json.dumps(record, ensure_ascii=False).encode() for record in records]
        given = deepcopy(list(records))
        by_lines = _outcome(transform, Batch.from_lines(list(lines)))
        by_records = _outcome(transform, Batch.from_records(list(records)))

        assert by_records == by_lines
        assert repr(list(records)) == repr(given)
        return [dict(record) for record in transform.transform_batch(Batch.from_lines(lines)).records]

    return made


@pytest.fixture
def new_lines():
    """The lines that a transform makes of lines."""

    def new_lines(transform, *lines):
        batch = transform.transform_batch(
            Batch.from_lines([line.encode() for line in lines], split="s", position=3, origin=range(len(lines)))
        )
        assert batch.faces == ("lines",)
        assert (batch.split, batch.position) == ("s", 3)
        return [line.decode() for line in batch.lines]

    return new_lines
