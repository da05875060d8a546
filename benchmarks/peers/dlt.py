"""dlt, into files."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.peers import main


def _pages(data: Path) -> Iterator[list[dict[str, Any]]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with (data / "records.jsonl").open("rb") as file:
        while lines := file.readlines(4_000_000):
            yield list(map(decode, lines))


def _load(resource: Any, out: Path, file_format: str) -> None:
    os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    os.environ["NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    import dlt

    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.filesystem(str(out)), dataset_name="kept", pipelines_dir=str(out / "state")
    )
    pipeline.run(resource, loader_file_format=file_format)  # type: ignore[arg-type, unused-ignore]


def j2(data: Path, out: Path) -> None:
    import dlt

    @dlt.resource(name="records", columns={"seller": {"data_type": "json"}, "tags": {"data_type": "json"}}, max_table_nesting=0)
    def kept() -> Iterator[list[dict[str, Any]]]:
        for page in _pages(data):
            yield [record for record in page if record["country"] == "ES" or record.get("price", 0) > 50]

    _load(kept, out, "jsonl")


def j3(data: Path, out: Path) -> None:
    import dlt

    @dlt.resource(name="records", columns={"seller": {"data_type": "json"}, "tags": {"data_type": "json"}}, max_table_nesting=0)
    def priced() -> Iterator[list[dict[str, Any]]]:
        for page in _pages(data):
            for record in page:
                del record["url"]
                if "price" in record:
                    record["price_vat"] = round(record["price"] * 1.21, 2)
            yield page

    _load(priced, out, "csv")


if __name__ == "__main__":
    main({"j2": j2, "j3": j3})
