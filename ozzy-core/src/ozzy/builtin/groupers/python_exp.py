"""Grouping by expressions."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from ozzy import BaseGrouper, Batch, Problem, option, options
from ozzy.contracts.grouper import GroupKey, membership
from ozzy.data.expressions.context import STEPS
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import problem_in


@options
class PythonExpOptions:
    """Options of the grouper by expressions."""

    python_expressions: list[str] = option(
        minimum=1,
        help="Expressions in Python's syntax, of which the record is `item`; the values of all make a group.",
        example=["item['date'][:7]", "item.get('country', 'unknown')"],
    )
    steps: int = option(default=STEPS, minimum=1, help="How many steps they may take for one record, before the record counts as bad.")


class PythonExpGrouper(BaseGrouper):
    """A group for each combination of the values of some expressions.

    A text is taken as it is, null is `unknown`, any other value is taken as JSON. A record for which one fails is a bad record.
    """

    Options: ClassVar[type] = PythonExpOptions
    independent = True

    @classmethod
    def check_options(cls, options: PythonExpOptions) -> Iterator[Problem]:
        """Expressions that are none."""
        for number, text in enumerate(options.python_expressions):
            yield from problem_in(f"python_expressions.{number}", text, steps=options.steps)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._evaluation = Evaluation(self.options.python_expressions, self.metadata.start_time, steps=self.options.steps, salt=self.kind)
        self.reads = self._evaluation.reads
        self.by_place = self._evaluation.draws

    @classmethod
    def width(cls, options: PythonExpOptions) -> int:
        return len(options.python_expressions)

    def key(self, item: Any) -> GroupKey:
        return self.keys(Batch.from_records([item]))[0]

    def keys(self, batch: Batch) -> Sequence[GroupKey]:
        return self._evaluation.looking(batch, self._group)

    def _group(self, item: Any) -> GroupKey:
        return membership(tuple([expression.settled(item) for expression in self._evaluation.expressions]))
