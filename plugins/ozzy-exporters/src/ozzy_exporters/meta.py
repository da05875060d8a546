"""What the modules of an export share, with its inherited constructor."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from ozzy import Metadata


@attrs.define(init=False)
class ExportMeta(Metadata):
    """The metadata of an export: `ExportMeta(configuration)` is what modules driven by hand share.

    What a kind of module keeps is an attribute too: `meta.writer["items_count"]` is `meta.per_module["writer"]["items_count"]`.
    """

    def __init__(self, configuration: Mapping[str, Any] | None = None, start_time: datetime | None = None) -> None:
        Metadata.__init__(self, dict(configuration or {}))
        self.start_time = start_time or self.start_time

    @classmethod
    def of(cls, metadata: Metadata) -> "ExportMeta":
        """The same metadata as they stand; what modules keep is shared, so that it shows on both."""
        made = cls()
        for field in attrs.fields(Metadata):
            setattr(made, field.name, getattr(metadata, field.name))
        return made

    def __getattr__(self, name: str) -> dict[str, Any]:
        if name.startswith("_") or name not in self.per_module:
            raise AttributeError(f"no module has kept anything under {name!r}")
        return self.per_module[name]
