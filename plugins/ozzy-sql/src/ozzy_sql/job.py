"""What the table `job` shows of a run: the columns of the inherited table, made from documents that are written.

Nothing is ever read from it: it is there for tools and people that look at the inherited table, and holds no secrets.
"""

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ozzy.staging.state_files import unsealed
from ozzy_sql.tables import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SHOWN = re.compile(r"[^/]+/runs/(?P<run>[^/]+)/(?P<what>run|checkpoint)")


def run_shown(key: str) -> str | None:
    """The run of which a document tells something that is shown, None for other documents."""
    match = _SHOWN.fullmatch(key)
    return match["run"] if match is not None else None


def columns_of(key: str, content: bytes) -> dict[str, Any]:
    """The columns that a document fills: a run's facts its config and whether it has finished, a checkpoint where it stands and when."""
    document = unsealed(content)["document"]
    if document is None:
        return {}
    if key.endswith("/run"):
        return {"configuration": json.dumps(document.get("config")), "job_finished": document.get("state") == "finished"}
    position = {name: document[name] for name in ("number", "kind", "phase", "place") if name in document}
    return {"last_position": json.dumps(position), "last_committed": datetime.now(UTC).replace(tzinfo=None)}


def show(connection: "Connection", run: str, columns: dict[str, Any]) -> None:
    """Bring the row of a run up to date, or make it."""
    job = tables().job
    if columns and not connection.execute(job.update().where(job.c.run == run).values(**columns)).rowcount:
        connection.execute(job.insert().values(run=run, **{"job_finished": False} | columns))


def forget(connection: "Connection", run: str) -> None:
    """Take the row of a run away."""
    job = tables().job
    connection.execute(job.delete().where(job.c.run == run))
