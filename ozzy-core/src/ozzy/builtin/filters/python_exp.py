"""The filter by an expression."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, ClassVar

from ozzy import BaseFilter, Batch, ConfigError, Problem, option, options
from ozzy.contracts.module import require_allow_code
from ozzy.data.expressions.context import STEPS
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import problem_in


@options
class PythonExpOptions:
    """Options of the filter by an expression."""

    python_expression: str = option(
        help="An expression in Python's syntax, of which the record is `item`; a record is kept where it is true.",
        example="item['price'] > 10 and item.get('country') in ('es', 'pt')",
    )
    imports: dict[str, str] = option(
        factory=dict,
        help="Modules of Python that the expression may use: name to module. They can do anything, so it needs --allow-code.",
        example={"unicodedata": "unicodedata"},
    )
    steps: int = option(default=STEPS, minimum=1, help="How many steps it may take for one record, before the record counts as bad.")


class PythonExpFilter(BaseFilter):
    """Keeps records for which an expression is true.

    What the expression changes of the record is forgotten: a filter looks. A record for which it fails is a bad record.
    """

    Options: ClassVar[type] = PythonExpOptions

    @classmethod
    def check_options(cls, options: PythonExpOptions) -> Iterator[Problem]:
        """Expressions that are none, and names that are none."""
        for name in options.imports:
            if not name.isidentifier() or name.startswith("_") or name == "item":
                yield Problem(f"imports.{name}", f"expected a name for the expression, given {name!r}")
                return
        yield from problem_in("python_expression", options.python_expression, options.imports, steps=options.steps)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.options.imports:
            require_allow_code(self, "imports")
        imports = {name: _imported(name, module) for name, module in self.options.imports.items()}
        self._evaluation = Evaluation(
            [self.options.python_expression], self.metadata.start_time, steps=self.options.steps, imports=imports, salt=self.kind
        )
        self._expression = self._evaluation.expressions[0]
        self.independent, self.by_place = not self.options.imports, self._evaluation.draws
        self.reads = self._evaluation.reads

    def filter(self, item: Any) -> bool:
        return self.mask(Batch.from_records([item]))[0]

    def mask(self, batch: Batch) -> Sequence[bool]:
        at_once = self._evaluation.at_once(batch, [""])
        return self._evaluation.looking(batch, self._truth) if at_once is None else list(map(bool, at_once[0]))

    def _truth(self, item: Any) -> bool:
        return bool(self._expression.of(item))


def _imported(name: str, module: str) -> Any:
    try:
        return import_module(module)
    except Exception as error:
        raise ConfigError(
            f"filter.options.imports.{name}: {module} can't be imported: {type(error).__name__}: {error}",
            hint="It has to be installed where ozzy runs.",
        ) from error
