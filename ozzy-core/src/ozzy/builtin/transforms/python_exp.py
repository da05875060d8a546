"""The transform by expressions that change the record."""

from collections.abc import Iterator
from typing import Any, ClassVar

from ozzy import BaseTransform, Batch, Problem, option, options
from ozzy.data.expressions.context import STEPS
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import problem_in


@options
class PythonExpOptions:
    """Options of the transform by expressions."""

    python_expressions: list[str] = option(
        minimum=1,
        help="Expressions in Python's syntax, one after the other; each changes the record, which is `item`.",
        example=["item.update(total=round(item['price'] * 1.21, 2))", "item.pop('internal', None)"],
    )
    steps: int = option(default=STEPS, minimum=1, help="How many steps they may take for one record, before the record counts as bad.")


class PythonExpTransform(BaseTransform):
    """Changes records by expressions with an effect, such as `item.update(…)`, `item.pop(…)` and `item.setdefault(…)`.

    What an expression gives is not used. A record for which one fails is a bad record.
    """

    Options: ClassVar[type] = PythonExpOptions
    independent = True
    one_to_one = True

    @classmethod
    def check_options(cls, options: PythonExpOptions) -> Iterator[Problem]:
        """Expressions that are none."""
        for number, text in enumerate(options.python_expressions):
            yield from problem_in(f"python_expressions.{number}", text, steps=options.steps)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._evaluation = Evaluation(self.options.python_expressions, self.metadata.start_time, steps=self.options.steps, salt=self.kind)
        self.by_place = self._evaluation.draws

    def transform_batch(self, batch: Batch) -> Batch:
        self._evaluation.changing(batch, self._change)
        return batch

    def _change(self, item: Any) -> None:
        for expression in self._evaluation.expressions:
            expression.of(item)
