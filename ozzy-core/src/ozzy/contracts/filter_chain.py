"""Chains of filters: several that judge as one."""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import compress
from operator import and_, or_
from typing import Any

from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.module import Metadata
from ozzy.data.batch import Batch
from ozzy.data.table import Chosen, Mask
from ozzy.errors import DataError, OzzyError, StateError
from ozzy.log import reason


class FilterChain(BaseFilter):
    """Joins filters by `and`, `or` or `not`: what `{and: […]}` and its like in a config become, and it is a filter itself.

    `members` are filters with the place of each in the chain (`or.1`). They are asked in order, and only of records that are not decided
    yet: by `and` of those that all before have kept, by `or` of those that none before has kept; `not` has one member, which is asked
    of all. So a member that remembers what it sees knows only of those. Where that can't be told apart (`total`), all are asked of all.
    """

    def __init__(self, operator: str, members: Sequence[tuple[str, BaseFilter]], metadata: Metadata | None = None) -> None:
        super().__init__(None, metadata)
        self.operator = operator
        self.members = dict(members)
        read = [member.reads for member in self.members.values()]
        self.independent = all(member.independent for member in self.members.values())
        self.by_place = any(member.by_place for member in self.members.values())
        self.reads = None if None in read else tuple(dict.fromkeys(field for fields in read for field in fields or ()))
        self.total = all(member.total for member in self.members.values())

    def filter(self, item: Any) -> bool:
        return self.mask(Batch.from_records([item]))[0]

    def mask(self, batch: Batch) -> Sequence[bool]:
        rows: Sequence[int] = range(len(batch))
        if self.operator == "not":
            [(place, member)] = self.members.items()
            mask = self._ask(place, member, batch, rows)
            return mask.inverted() if isinstance(mask, Mask) else [not kept for kept in mask]
        if batch.table is not None:
            return self._mask_of_columns(batch)
        any_will_do = self.operator == "or"
        if self.total:
            at_once = self._asked_at_once(batch, or_ if any_will_do else and_)
            if at_once is not None:
                return at_once
        part, taken = batch, set[int]()
        for place, member in self.members.items():
            if not len(part):
                break
            open_: Sequence[bool] = self._ask(place, member, part, rows)
            if any_will_do:
                taken.update(compress(rows, open_))
                open_ = [not kept for kept in open_]
            part, rows = part.where(open_), list(compress(rows, open_))
        kept_rows = taken if any_will_do else set(rows)
        return [row in kept_rows for row in range(len(batch))]

    def _asked_at_once(self, batch: Batch, join: Callable[[bool, bool], bool]) -> list[bool] | None:
        """What all members say of all records, joined; None where a field can't be decoded that perhaps nobody has to look at."""
        try:
            masks = [member.mask(batch) for member in self.members.values()]
        except DataError:
            return None
        return list(reduce(lambda one, other: list(map(join, one, other)), masks))

    def _mask_of_columns(self, batch: Batch) -> Mask:
        """The same, without a list of rows: what is open is chosen as columns, so that only those are read that a member asks for."""
        any_will_do = self.operator == "or"
        kept = Mask.all(not any_will_do, len(batch))
        for place, member in self.members.items():
            open_ = kept.inverted() if any_will_do else kept
            part = batch.where(open_)
            if not len(part):
                break
            kept = kept.refined(open_, Mask.of(self._ask(place, member, part, Chosen(range(len(batch)), open_))))
        return kept

    def get_state(self) -> Any:
        states = {place: member.get_state() for place, member in self.members.items()}
        return {place: state for place, state in states.items() if state is not None} or None

    def set_state(self, state: Any) -> None:
        for place, remembered in state.items():
            if place not in self.members:
                raise StateError(f"the checkpoint holds a state of {place}, where no filter is", hint="Start anew with --fresh.")
            self.members[place].set_state(remembered)

    def close(self) -> None:
        """Close every member, whatever one of them raises; the first error is raised at the end."""
        failed: Exception | None = None
        for member in self.members.values():
            try:
                member.close()
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _ask(self, place: str, member: BaseFilter, part: Batch, rows: Sequence[int]) -> Sequence[bool]:
        """What one member says of the rows that are still open; an error is told with its place in the chain, and the row in the whole."""
        try:
            mask = member.mask(part)
            if len(mask) != len(part):
                raise DataError(f"gave a mask of {len(mask)} for {len(part)} records")
        except DataError as error:
            row = None if error.row is None else rows[error.row]
            raise DataError(f"{place}{_between(member)}{error.message}", row=row, hint=error.hint) from error
        except OzzyError:
            raise
        except Exception as error:
            raise DataError(f"{place}{_between(member)}{reason(error)}") from error
        return mask


def _between(member: BaseFilter) -> str:
    """What stands between the place of a member and its error, which in a chain begins with a place of its own."""
    return "." if isinstance(member, FilterChain) else f" ({type(member).__name__}): "


def called(module: Any) -> str:
    """The class of a module; for a chain those of its members, as in `KeyValueFilter and (DupeFilter or not NoFilter)`."""
    if not isinstance(module, FilterChain):
        return type(module).__name__
    names = list(_names(module))
    return f"not {names[0]}" if module.operator == "not" else f" {module.operator} ".join(names)


def _names(chain: FilterChain) -> Iterator[str]:
    for member in chain.members.values():
        several = isinstance(member, FilterChain) and len(member.members) > 1
        yield f"({called(member)})" if several else called(member)
