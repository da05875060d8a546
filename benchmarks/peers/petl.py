"""petl, row by row."""

from pathlib import Path
from typing import Any

from benchmarks.peers import main

COLUMNS = ["id", "title", "brand", "country", "price", "currency", "stock", "rating", "available", "scraped_at", "seller", "tags"]


def _table(data: Path) -> Any:
    import petl

    header = [*COLUMNS, "url"]
    return petl.fromjson(data / "records.jsonl", lines=True, header=header)


def j2(data: Path, out: Path) -> None:
    import petl

    kept = petl.select(_table(data), lambda row: row["country"] == "ES" or (row["price"] is not None and row["price"] > 50))
    petl.tojson(kept, str(out / "kept.jsonl"), lines=True)


def j3(data: Path, out: Path) -> None:
    import json

    import petl

    priced = petl.addfield(_table(data), "price_vat", lambda row: None if row["price"] is None else round(row["price"] * 1.21, 2))
    nested = petl.convert(petl.cutout(priced, "url"), ("seller", "tags"), lambda value: None if value is None else json.dumps(value))
    petl.tocsv(nested, str(out / "priced.csv"), encoding="utf-8")


if __name__ == "__main__":
    main({"j2": j2, "j3": j3})
