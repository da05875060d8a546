"""What a resumed run may find changed in what is done with bad records."""

import pytest

from ozzy.plan.changes import Standing, Verdict, changed_values


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ({"errors.limit": 5}, {"errors.limit": None}, Verdict.SAFE),
        ({"transform.0.errors.limit": 5}, {"transform.0.errors.limit": 6}, Verdict.SAFE),
        ({"errors.policy": "fail"}, {"errors.policy": "skip"}, Verdict.SAFE),
        ({"errors.policy": "skip"}, {"errors.policy": "quarantine"}, Verdict.SAFE),
        ({"errors.policy": "quarantine"}, {"errors.policy": "skip"}, Verdict.ASK),
        ({"errors.policy": "skip"}, {"errors.policy": "fail"}, Verdict.ASK),
        ({"errors.policy": "fail"}, {"errors.policy": "fail", "reader.errors.policy": "skip"}, Verdict.SAFE),
        ({"errors.policy": "skip"}, {"errors.policy": "skip", "reader.errors.policy": None}, Verdict.SAFE),
        ({"errors.policy": "skip", "all.when.errors.policy": "quarantine"}, {"errors.policy": "skip"}, Verdict.ASK),
        ({"reader.options.errors.policy": "fail"}, {"reader.options.errors.policy": "skip"}, Verdict.ASK),
    ],
)
def test_putting_up_with_more_is_safe_and_losing_more_is_asked(before, now, verdict):
    assert [change.verdict for change in changed_values(before, now, Standing(writers=("all",)))] == [verdict]
