"""The transform that hides what a value says."""

import hmac
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NoReturn

from ozzy import BaseTransform, Batch, DataError, Problem, option, options
from ozzy.data.field_path import FieldPath
from ozzy.data.field_tree import Act, FieldTree, each_element, overlaps
from ozzy.data.json_text import encode_record
from ozzy.data.tokens import Form

KEY = "OZZY_MASK_KEY"


@options
class MaskOptions:
    """Options of mask."""

    fields: dict[str, Literal["digest", "redact", "truncate"]] = option(
        help="Fields to what is done with them; nested ones with the separator between the names. digest: a keyed digest (HMAC-SHA-256, 64 "
        "hexadecimal digits) stands for the value; redact: a fixed text does; truncate: only its first characters stay.",
        minimum=1,
        example={"email": "digest", "address.street": "redact", "phone": "truncate"},
    )
    key: str | None = option(
        default=None,
        env=KEY,
        secret=True,
        minimum=16,
        help="The key of digests, 16 characters at least. The same key gives the same digest of a value, in every run; "
        "keep it for as long as digests have to be compared.",
    )
    replacement: str = option(default="***", help="What redact puts in the place of a value.")
    length: int = option(default=4, minimum=0, help="How many characters truncate leaves.")
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class MaskTransform(BaseTransform):
    """Hides what values say: by a keyed digest that still tells equal ones from others, by a fixed text, or by cutting them.

    Null stays null, and a missing field missing. digest and truncate take a number, true or false as its JSON text, and a list
    element by element; an object has to be named by its members, or redacted as a whole, as a list may be. A path that meets a list goes
    on in each of its elements. Nothing is left unmasked in silence: a record where a text or a number stands on the way to a named field
    is bad. The digest of a text is that of its bytes in UTF-8.
    """

    Options: ClassVar[type] = MaskOptions
    independent = True
    one_to_one = True
    leaves_input = True

    @classmethod
    def check_options(cls, options: MaskOptions) -> Iterator[Problem]:
        """Digests without a key, fields inside others."""
        yield from overlaps("fields", _paths(options))
        for name, how in options.fields.items():
            if options.key is None and how == "digest":
                yield Problem(f"fields.{name}", "a digest needs a key", f"set the option key, or the variable {KEY}")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._key = (self.options.key or "").encode()
        paths = _paths(self.options)
        self._tree = FieldTree(
            ((path, self._masking(name, self.options.fields[name])) for name, path in paths.items()), blocked=_refuse_to_pass
        )
        self.reads = self.writes = tuple(self._tree.children)
        self.face = f"fields {', '.join(self.reads)}"

    def transform_batch(self, batch: Batch) -> Batch:
        return batch.rewrite(self._tree.change)

    def _masking(self, name: str, how: str) -> Act:
        if how == "redact":
            return self._redacted
        mask = self._digest if how == "digest" else self._truncated

        def act(value: Any, form: Form) -> Any:
            if form.members(value) is not None:
                raise DataError(f"{name} is an object, and can't be masked by {how}", hint="Name its members, or redact it.")
            plain = form.plain(value)
            if plain is None:
                return value
            return form.made(mask(plain if isinstance(plain, str) else encode_record(plain).decode().strip('"')))

        return each_element(act)

    def _redacted(self, value: Any, form: Form) -> Any:
        nothing = form.members(value) is None and form.elements(value) is None and form.plain(value) is None
        return value if nothing else form.made(self.options.replacement)

    def _digest(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def _truncated(self, text: str) -> str:
        return text[: self.options.length]


def _refuse_to_pass(name: str, value: Any) -> NoReturn:
    kind = "a text" if isinstance(value, str) else "no object"
    raise DataError(
        f"{name!r} can't be masked: what should hold it is {kind}",
        hint="Mask the field around it, or mend the record; nothing passes unmasked.",
    )


def _paths(options: MaskOptions) -> dict[str, FieldPath]:
    return {name: FieldPath.parse(name, options.nested_field_separator) for name in options.fields}
