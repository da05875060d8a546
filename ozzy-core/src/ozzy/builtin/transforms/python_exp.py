"""The transform by expressions that change the record."""

from collections.abc import Iterator
from typing import Any, ClassVar

from ozzy import BaseTransform, Batch, Problem, option, options
from ozzy.data.expressions.changes import changes_of
from ozzy.data.expressions.context import STEPS
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import problem_in
from ozzy.data.patched import patched


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

    What an expression gives is not used. A record for which one fails is a bad record. Where all that they do is to set top-level fields by
    `item.update(name=…)` and to drop some by `item.pop('name')`, only the fields that they name are decoded.
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
        self._changes = changes_of(self._evaluation)
        if self._changes is not None:
            self.patches = True
            self.reads = self._changes.reads
            self.writes = (*self._changes.added, *self._changes.dropped)

    @property
    def face(self) -> str:
        """What it asks a batch for: just the fields that it sets, drops and looks at, where those are known."""
        return "records" if self._changes is None else f"fields {', '.join(self._changes.reads)}"

    def transform_batch(self, batch: Batch) -> Batch:
        if self._changes is not None and "records" not in batch.faces:
            return patched(batch, self._changes.of(self._evaluation, batch), self._changes.dropped)
        self._evaluation.changing(batch, self._change)
        return batch

    def _change(self, item: Any) -> None:
        for expression in self._evaluation.expressions:
            expression.of(item)
