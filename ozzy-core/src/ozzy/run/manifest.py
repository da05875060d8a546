"""Manifests of a run: what each lists follows from the run's record and the checkpoint's document alone.

So a manifest that is published again after a kill is the same, byte for byte. Its only time is the run's start, and it holds no secret.
"""

import posixpath
from importlib.metadata import version
from typing import Any

import attrs

from ozzy.contracts.module import blamed_on
from ozzy.errors import DestinationError
from ozzy.plan.pipeline import Pipeline
from ozzy.plan.signature import config_hash, versions
from ozzy.run.checkpoint import Document
from ozzy.staging.manifest import FORMAT, encode_manifest, total_rows


@attrs.frozen
class Manifests:
    """Publishes the manifests of the writers that have one; `identity` is what the pipeline is known by."""

    pipeline: Pipeline
    identity: str

    def publish(self, document: Document) -> None:
        """List what a full checkpoint has made visible, all since the run began."""
        for label, receipt in document["writers"].items():
            if receipt.get("manifest"):
                writer = self.pipeline.writers[label]
                with blamed_on(label, writer, DestinationError):
                    writer.publish_manifest(receipt, encode_manifest(self.content(label, document)))

    def content(self, label: str, document: Document) -> dict[str, Any]:
        """What the manifest of one writer says at a checkpoint."""
        receipt = document["writers"][label]
        files = [
            {"name": file["name"], "rows": file["rows"], "bytes": file["size"], "sha256": file["sha256"]}
            | ({"bypass": file["bypass"]} if "bypass" in file else {})
            for file in self.pipeline.writers[label].results(receipt)
        ]
        place = document["place"]
        return {
            "ozzy_manifest": FORMAT,
            "run": document["run"],
            "pipeline": self.identity,
            "writer": label,
            "started": self.pipeline.metadata.start_time.isoformat(),
            "complete": place["finished"],
            "checkpoint": document["number"],
            "position": {
                "from": {"split": 0, "position": None, "rows": 0},
                "to": {key: place[key] for key in ("split", "position", "rows")},
                "splits": document["splits"],
            },
            "config": config_hash(self.pipeline.config, self.pipeline),
            "ozzy": version("ozzy-core"),
            "plugins": versions(self.pipeline),
            **({"read_as": read_as} if (read_as := self.pipeline.formatters[label].read_as()) else {}),
            "folder": posixpath.relpath(".", posixpath.dirname(receipt["manifest"]) or "."),
            "rows": total_rows(files),
            "bytes": sum(file["bytes"] for file in files),
            "files": files,
        }
