"""Modules without a manager: what lets a program drive readers, filters, transforms, groupers and formatters by their inherited methods.

Every class that `exporters.…` gives has passed `hand_driven`: where today's contract lacks a method that the inherited one had, it is a
subclass with that method. In a pipeline such a class does what the one it stands for does.
"""

from abc import ABCMeta
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from ozzy import (
    BaseDecoder,
    BaseExportFormatter,
    BaseFilter,
    BaseGrouper,
    BaseReader,
    BaseStreamReader,
    BaseTransform,
    BaseWriter,
    Batch,
    DataError,
)
from ozzy.contracts.decoder import choose
from ozzy.contracts.module import overrides
from ozzy_exporters.batches import as_batch


@cache
def hand_driven(cls: type) -> type:
    """The class, able to be driven by hand: itself, or a subclass that counts as itself for `isinstance` and `issubclass`."""
    mixin = _mixin_for(cls)
    if mixin is None:
        return cls
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__, "stands_for": cls}
    return _StandIn(cls.__name__, (mixin, cls), names)


class _StandIn(ABCMeta):
    """The class of classes that stand for others: their instances are those of the class they stand for."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, vars(cls)["stands_for"]) if "stands_for" in vars(cls) else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, vars(cls)["stands_for"]) if "stands_for" in vars(cls) else super().__subclasscheck__(subclass)


def _mixin_for(cls: type) -> type | None:
    """What a class lacks; None where its own, or its author's, methods are the inherited ones."""
    from ozzy_exporters.writer_by_hand import WriterByHand

    if issubclass(cls, BaseReader):
        return ReaderByHand if overrides(cls, "read", BaseReader) else None
    if issubclass(cls, BaseFilter):
        return FilterByHand
    if issubclass(cls, BaseTransform):
        return TransformByHand if overrides(cls, "transform_batch", BaseTransform) else None
    if issubclass(cls, BaseGrouper):
        inherited = overrides(cls, "group_batch", BaseGrouper) or not overrides(cls, "keys", BaseGrouper)
        return None if inherited else GrouperByHand
    if issubclass(cls, BaseExportFormatter):
        return FormatterByHand if overrides(cls, "format_rows", BaseExportFormatter) else None
    return WriterByHand if issubclass(cls, BaseWriter) else None


class ReaderByHand(BaseReader):
    """A reader whose batches are asked for one by one. Its position, a JSON document, says which part of the source comes next.

    A bad row is a DataError: by hand there is no policy that could pass over it.
    """

    _given: Iterator[Batch] | None = None
    _stand: dict[str, Any] | None = None

    def set_last_position(self, position: Any) -> None:
        self._stand, self._given, self.finished = position, None, False

    def get_last_position(self) -> Any:
        return self._stand

    def get_next_batch(self) -> Iterable[Any]:
        if self._given is None:
            self._given = self._batches_after(self._stand)
        batch = next(self._given, None)
        if batch is None:
            self.finished = True
            return []
        if batch.rejected:
            bad = batch.rejected[0]
            raise DataError(f"{bad.where}: {bad.message}")
        self._stand = {"split": batch.split, "position": batch.position}
        self.set_metadata("read_items", (self.get_metadata("read_items") or 0) + len(batch))
        return list(batch)

    def _batches_after(self, stand: dict[str, Any] | None) -> Iterator[Batch]:
        reader: BaseReader = self
        if isinstance(reader, BaseStreamReader) and reader.decoders is None:
            reader.decoders = self._decoder
        ahead = stand is None
        for split in self.splits():
            here = stand is not None and split.id == stand["split"]
            if ahead or here:
                yield from self.read(split, stand["position"] if here and stand is not None else None)
            ahead = ahead or here

    def _decoder(self, asked: str, name: str, head: bytes, batch_size: int) -> BaseDecoder:
        from ozzy import Registry

        found = Registry.load().resolve("deserializer", choose(name, head) if asked == "auto" else asked)
        made: BaseDecoder = found.cls({"name": found.name, "options": {"batch_size": batch_size}}, self.metadata)
        return made


class FilterByHand(BaseFilter):
    """A filter that is given a batch, and gives back what goes on."""

    def filter_batch(self, batch: Iterable[Any]) -> Iterator[Any]:
        """The records that go on. Those that do not are counted in the metadata, as `filtered_out`."""
        given = as_batch(batch)
        mask = self.mask(given) if len(given) else ()
        self.set_metadata("filtered_out", (self.get_metadata("filtered_out") or 0) + len(mask) - sum(map(bool, mask)))
        for item, goes_on in zip(given, mask, strict=True):
            if goes_on:
                yield item


class TransformByHand(BaseTransform):
    """A transform that takes any iterable of records."""

    def transform_batch(self, batch: Any) -> Batch | Iterable[Any]:
        return super().transform_batch(as_batch(batch))


class GrouperByHand(BaseGrouper):
    """A grouper that takes any iterable of records, and gives them back with their groups."""

    def group_batch(self, batch: Any) -> Iterable[Any]:
        given = as_batch(batch)
        for item, group in zip(given, self.keys(given) if len(given) else (), strict=True):
            item.group_membership = group
            yield item


class FormatterByHand(BaseExportFormatter):
    """A formatter that is given one record at a time, and gives back text, with the separator left to the caller."""

    def format(self, item: Any) -> str | bytes:
        return self.format_rows(as_batch([item]))[0].decode()

    def format_header(self) -> str | bytes:
        return self.header().decode() if overrides(self, "header", BaseExportFormatter) else super().format_header()

    def format_footer(self) -> str | bytes:
        return self.footer().decode() if overrides(self, "footer", BaseExportFormatter) else super().format_footer()
