"""The notifier `apprise`."""

from typing import TYPE_CHECKING, Any

from ozzy import BaseTextNotifier, DestinationError, RetryOptions, option, options
from ozzy.contracts.report import CLIENTS, TEAM
from ozzy.log import notes
from ozzy.options.values import str_list

if TYPE_CHECKING:
    from apprise import NotifyBase


def _not_an_address(url: Any) -> str | None:
    from apprise import Apprise

    return None if Apprise.instantiate(str(url), suppress_exceptions=True) is not None else "expected an address that Apprise knows"


@options
class AppriseNotifierOptions:
    """Options of the notifier `apprise`."""

    urls: str_list = option(
        env="OZZY_APPRISE_URLS",
        secret=True,
        check=_not_an_address,
        help="Addresses in Apprise's form. They hold tokens, so they are kept secret.",
    )
    client_urls: str_list = option(
        factory=str_list, secret=True, check=_not_an_address, help="Addresses that hear of starts and successes alone, not of failures."
    )
    retry: RetryOptions = option(
        factory=lambda: RetryOptions(tries=4, seconds=60.0), help="How often an address is tried that takes no message."
    )


class AppriseNotifier(BaseTextNotifier):
    """Sends short messages to chat rooms, phones and whatever else Apprise reaches.

    `urls` belong to the team and hear of everything, `client_urls` of starts and successes. Each address is tried by itself, so that
    none is told twice because another one failed.
    """

    Options = AppriseNotifierOptions
    tells_details = False

    def send(self, title: str, text: str, receivers: Any) -> None:
        """Send one message to each address that it concerns."""
        from apprise import Apprise

        groups = {CLIENTS: self.options.client_urls, TEAM: self.options.urls}
        wanted = receivers if isinstance(receivers, (list, tuple, set)) else [] if receivers is None else [receivers]
        urls = dict.fromkeys(str(url) for group in wanted if isinstance(group, int) for url in groups.get(group, ()))
        failed = []
        for url in urls:
            address = Apprise.instantiate(url)
            assert address is not None, "checked when the options were"
            try:
                self.calling(
                    lambda address=address: _tell(address, title, text),  # type: ignore[misc]
                    what=f"telling {address.service_name}",
                    transient=lambda error: isinstance(error, DestinationError),
                    retries=self.options.retry.policy(),
                )
            except DestinationError as error:
                failed.append(f"{error.message}{notes(error)}")
        if failed:
            raise DestinationError(
                f"{len(failed)} of {len(urls)} addresses took no message: {'; '.join(failed)}",
                hint="What Apprise says of it is logged: --log-level debug.",
            )


def _tell(address: "NotifyBase", title: str, text: str) -> None:
    if not address.notify(body=text.encode("utf-8", "replace").decode(), title=title):
        raise DestinationError(f"{address.service_name} took no message")
