"""What this package offers."""

from ozzy import Module, hookimpl


@hookimpl
def ozzy_notify() -> dict[str, Module]:
    """Notifiers."""
    return {"apprise": Module("ozzy_apprise.notifier:AppriseNotifier", "Messages to chat rooms and phones, through Apprise.")}
