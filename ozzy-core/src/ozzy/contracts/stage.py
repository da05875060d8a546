"""What tells a stage that remembers something from one that does not."""

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.filter_chain import FilterChain
from ozzy.contracts.grouper import BaseGrouper
from ozzy.contracts.module import BaseModule, overrides
from ozzy.contracts.transform import BaseTransform


def stateful(module: object) -> bool:
    """Whether a module is a filter, transform or grouper that remembers something from batch to batch; a chain does if a member does.

    >>> class Unseen(BaseFilter):
    ...     seen = ()
    ...     def get_state(self):
    ...         return self.seen
    ...     def set_state(self, state):
    ...         self.seen = state
    >>> stateful(Unseen()), stateful(BaseFilter())
    (True, False)
    """
    if isinstance(module, FilterChain):
        return any(map(stateful, module.members.values()))
    return isinstance(module, (BaseFilter, BaseTransform, BaseGrouper)) and overrides(module, "get_state", BaseModule)


def half_stateful(module: object) -> str | None:
    """The method that is missing where a stage has only one of `get_state` and `set_state`."""
    if not isinstance(module, (BaseFilter, BaseTransform, BaseGrouper)):
        return None
    written = [name for name in ("get_state", "set_state") if overrides(module, name, BaseModule)]
    return None if len(written) != 1 else "set_state" if written == ["get_state"] else "get_state"
