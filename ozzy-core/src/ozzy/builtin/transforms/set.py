"""The transform that sets fields to the values of expressions."""

from collections.abc import Iterator
from typing import Any, ClassVar

from ozzy import BaseTransform, Batch, DataError, Problem, option, options
from ozzy.data.expressions.context import STEPS
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import problem_in
from ozzy.data.field_path import FieldPath, roots
from ozzy.data.patched import patched


@options
class SetOptions:
    """Options of the transform that sets fields."""

    fields: dict[str, str] = option(
        minimum=1,
        help="Field to expression in Python's syntax, of which the record is `item`; nested fields with dots between the names. One "
        "after the other: later ones see what earlier ones have set.",
        example={"total": "round(item['price'] * 1.21, 2)", "address.city": "item['address']['city'].title()"},
    )
    steps: int = option(default=STEPS, minimum=1, help="How many steps they may take for one record, before the record counts as bad.")


class SetTransform(BaseTransform):
    """Sets fields to the values of expressions; a field that is not there is added at the end.

    Mappings on the way to a nested field are made where they are missing; a value on the way that is no mapping makes the record a bad
    one, as does an expression that fails.
    """

    Options: ClassVar[type] = SetOptions
    independent = True
    one_to_one = True

    @classmethod
    def check_options(cls, options: SetOptions) -> Iterator[Problem]:
        """Expressions that are none, and names that are empty."""
        for name, text in options.fields.items():
            if not all(FieldPath.parse(name).steps):
                yield Problem("fields", f"expected names with dots between them, given {name!r}")
            yield from problem_in(f"fields.{name}", text, steps=options.steps)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paths = [FieldPath.parse(name) for name in self.options.fields]
        self._evaluation = Evaluation(
            list(self.options.fields.values()), self.metadata.start_time, steps=self.options.steps, salt=self.kind
        )
        self.by_place = self._evaluation.draws
        self._fields = [(path.steps[:-1], path.steps[-1], one) for path, one in zip(paths, self._evaluation.expressions, strict=True)]
        reads = self._evaluation.reads
        self.writes = None if self._evaluation.changes else roots(paths)
        self.reads = None if reads is None else tuple(dict.fromkeys((*reads, *roots([path for path in paths if len(path.steps) > 1]))))

        self._alone = self.patches = self.reads is not None and self.writes is not None and not any(way for way, _, _ in self._fields)

    @property
    def face(self) -> str:
        """What it asks a batch for: just the fields that its expressions name, where that is enough."""
        if not self._alone:
            return "records"
        return f"fields {', '.join(self.reads)}" if self.reads else "lines"

    def transform_batch(self, batch: Batch) -> Batch:
        if self._alone and "records" not in batch.faces:
            names = [name for _, name, _ in self._fields]
            columns = self._evaluation.at_once(batch, names) or zip(*self._evaluation.looking(batch, self._values), strict=True)
            return patched(batch, dict(zip(names, map(list, columns), strict=True)))
        self._evaluation.changing(batch, self._set)
        return batch

    def _values(self, item: Any) -> list[Any]:
        """The new values of one record, of which only the fields are there that the expressions look at."""
        values = []
        for _, name, expression in self._fields:
            item[name] = expression.settled(item)
            values.append(item[name])
        return values

    def _set(self, item: Any) -> None:
        for way, name, expression in self._fields:
            value = expression.settled(item)
            place = item
            for at, step in enumerate(way, 1):
                place = place.setdefault(step, {})
                if not isinstance(place, dict):
                    raise DataError(f"{'.'.join(way[:at])} is no mapping, so {'.'.join((*way, name))} can't be set")
            place[name] = value
