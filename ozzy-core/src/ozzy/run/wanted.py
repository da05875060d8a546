"""What a reader is told of the stages behind it: the fields they will ask for, so that each line is read once."""

from collections.abc import Sequence

from ozzy.run.outlets import Outlet
from ozzy.run.stages import FilterStage, GroupStage, Stage, TransformStage

Fields = tuple[str, ...]


def wanted_fields(stages: Sequence[Stage], outlets: Sequence[Outlet]) -> tuple[Fields, Fields]:
    """The top-level fields that the first stage asks for, and all that any stage or a formatter that takes tokens looks at.

    A first filter leaves few rows, so that who has to make an object of each value gives only its fields. Without a filter, all fields
    are taken out of a line at once.
    """
    first = next(iter(stages), None)
    tokens = _tokens(stages, outlets)
    if isinstance(first, FilterStage) or (isinstance(first, GroupStage) and not tokens):
        return tuple(first.module.reads or ()), tokens
    return (), tokens


def columns_wanted(outlets: Sequence[Outlet]) -> bool:
    """Whether a formatter makes its files of columns."""
    contexts = [getattr(outlet.writer, "context", None) for outlet in outlets]
    return any(context.formatter.columnar for context in contexts if context is not None)


def _tokens(stages: Sequence[Stage], outlets: Sequence[Outlet]) -> Fields:
    if len(outlets) != 1 or not all(stage.module.patches for stage in stages if isinstance(stage, TransformStage)):
        return ()
    context = getattr(outlets[0].writer, "context", None)
    tokens = context.formatter.tokens if context is not None else ()
    read = [stage.module.reads for stage in stages]
    if not tokens or None in read:
        return ()
    made = {name for stage in stages if isinstance(stage, TransformStage) for name in stage.module.writes or ()}
    looked_at = dict.fromkeys(field for fields in read for field in fields or ())
    return tuple(dict.fromkeys([*(name for name in tokens if name not in made), *looked_at]))
