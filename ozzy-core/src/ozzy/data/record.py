"""The record that inherited modules see: a dict that knows its group."""

from typing import Any

Record = dict[str, Any]


class BaseRecord(dict[str, Any]):
    """A record as a mapping, with the group it belongs to beside it.

    `group_key` names the fields that were grouped by, `group_membership` holds their values for this record; both are empty
    until a grouper sets them.
    """

    group_key: "list[str] | tuple[str, ...]" = ()
    group_membership: tuple[Any, ...] = ()
