"""The transform by an expression that gives the new record."""

from collections.abc import Iterator
from typing import Any, ClassVar

from ozzy import BaseTransform, Batch, DataError, Problem, option, options
from ozzy.data.expressions.context import STEPS
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import problem_in


@options
class PythonMapOptions:
    """Options of the transform by an expression that gives the new record."""

    map: str = option(
        help="An expression in Python's syntax, of which the record is `item`, and whose value is the new record.",
        example="{'name': item['name'].title(), 'tags': sorted(set(item.get('tags', [])))}",
    )
    steps: int = option(default=STEPS, minimum=1, help="How many steps it may take for one record, before the record counts as bad.")


class PythonMapTransform(BaseTransform):
    """Makes of each record what an expression gives, which has to be a mapping. A record for which it fails is a bad record."""

    Options: ClassVar[type] = PythonMapOptions
    independent = True
    one_to_one = True

    @classmethod
    def check_options(cls, options: PythonMapOptions) -> Iterator[Problem]:
        """An expression that is none."""
        yield from problem_in("map", options.map, steps=options.steps)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._evaluation = Evaluation([self.options.map], self.metadata.start_time, steps=self.options.steps, salt=self.kind)
        self._expression = self._evaluation.expressions[0]
        self.reads = self._evaluation.reads
        self.by_place = self._evaluation.draws

    def transform_batch(self, batch: Batch) -> Batch:
        return Batch.from_records(self._evaluation.looking(batch, self._made))

    def _made(self, item: Any) -> Any:
        made = self._expression.settled(item)
        if not isinstance(made, dict):
            raise DataError(f"{self._expression.text:.100}: a record must be a mapping, not {type(made).__name__}")
        return made
