"""A Singer tap for the records, piped into `target-jsonl`, which is installed for itself: SINGER_TARGET is its path."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.peers import main

KINDS = {
    "id": "integer",
    "price": "number",
    "stock": "integer",
    "rating": "number",
    "available": "boolean",
    "seller": "object",
    "tags": "array",
}
NAMES = ("id", "url", "title", "brand", "country", "price", "currency", "stock", "rating", "available", "scraped_at", "seller", "tags")


def j2(data: Path, out: Path) -> None:
    config = out / "config.json"
    config.write_text(json.dumps({"destination_path": str(out)}))
    target = subprocess.Popen([os.environ["SINGER_TARGET"], "--config", str(config)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert target.stdin is not None
    properties: dict[str, Any] = {name: {"type": ["null", KINDS.get(name, "string")]} for name in NAMES}
    schema = {"type": "object", "properties": properties}

    def tell(message: dict[str, Any]) -> None:
        assert target.stdin is not None
        target.stdin.write(json.dumps(message).encode() + b"\n")

    tell({"type": "SCHEMA", "stream": "kept", "schema": schema, "key_properties": ["id"]})
    with (data / "records.jsonl").open("rb") as file:
        for line in file:
            record = json.loads(line)
            if record["country"] == "ES" or record.get("price", 0) > 50:
                tell({"type": "RECORD", "stream": "kept", "record": record})
    target.stdin.close()
    if target.wait():
        raise SystemExit(f"target-jsonl ended with {target.returncode}")


if __name__ == "__main__":
    main({"j2": j2})
