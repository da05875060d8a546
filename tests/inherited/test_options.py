"""Options of inherited modules that fall back to a variable, under the names that they had."""

import pytest

import ozzy

VARIABLES = {
    "access_key": "EXPORTERS_MAIL_AWS_ACCESS_KEY",
    "secret_key": "EXPORTERS_MAIL_AWS_SECRET_KEY",
    "mail_from": "EXPORTERS_MAIL_FROM",
}
GIVEN = {"access_key": "AKIAEXAMPLE", "secret_key": "a-secret-of-thirty-two-characters", "mail_from": "exports@example.com"}


def config(**options: str) -> dict[str, object]:
    notifier = {
        "name": "exporters.notifications.ses_mail_notifier.SESMailNotifier",
        "options": {"team_mails": ["a@example.com"], **options},
    }
    return {"reader": "random", "writer": "console", "exporter_options": {"notifications": [notifier]}}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_read_where_the_option_is_not_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = {key: value for key, value in GIVEN.items() if key != name}
    with pytest.raises(ozzy.ConfigError, match=VARIABLES[name]):
        ozzy.validate(config(**rest))

    monkeypatch.setenv(VARIABLES[name], GIVEN[name])
    assert ozzy.validate(config(**rest))
