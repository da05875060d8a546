"""Code as a user writes it, for mypy to check; it is never run. Every `type: ignore` is a mistake that must be seen."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import assert_type

import ozzy
from ozzy import (
    BaseFilter,
    BaseReader,
    BaseTransform,
    Batch,
    ConfigError,
    Module,
    OzzyError,
    Registry,
    Result,
    Split,
    hookimpl,
    option,
    options,
)


@hookimpl
def ozzy_read() -> Mapping[str, Module]:
    return {"tap": Module("ozzy_tap.reader:Tap", summary="Reads from a tap.", aliases=("faucet",))}


@options
class TapOptions:
    size: int = option(default=1, minimum=1, help="How much at once.")
    token: str = option(env="TAP_TOKEN", secret=True)
    tags: list[str] = option(factory=list)


class Tap(BaseReader):
    Options = TapOptions

    def read(self, split: Split, position: object) -> Iterator[Batch]:
        yield Batch.from_records([{"n": 1}], split=split.id, position=position)


class Even(BaseFilter):
    def filter(self, item: Mapping[str, int]) -> bool:
        return item["n"] % 2 == 0


class Shout(BaseTransform):
    one_to_one = True

    def transform_batch(self, batch: Batch) -> Batch:
        return batch


def use(path: Path) -> Result:
    try:
        result = ozzy.run(path, resume="auto", set={"writer.options.compression": "none"})
    except ConfigError as error:
        assert_type(error.exit_code, int)
        raise
    except OzzyError as error:
        assert_type(error.hint, str | None)
        raise
    assert_type(result, Result)
    assert_type(result.records_written, int)
    for record in ozzy.read({"reader": "random"}):
        assert_type(record["n"], object)  # type: ignore[assert-type]
    assert_type(Registry.load().resolve("reader", "fs").cls, type)
    assert_type(ozzy.__version__, str)
    assert_type(TapOptions(size=2, token="", tags=[]).size, int)
    return result


def mistakes() -> None:
    ozzy.run()  # type: ignore[call-arg]
    ozzy.run("config.json", resume="perhaps")  # type: ignore[arg-type]
    Module(5)  # type: ignore[arg-type]
    Module("a:B", aliases="b")  # type: ignore[arg-type]
    TapOptions(size="2", token="")  # type: ignore[arg-type]
    TapOptions(2, "")  # type: ignore[call-arg]
    ozzy.no_such_name  # type: ignore[attr-defined]  # noqa: B018
