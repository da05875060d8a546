"""Polars, lazily and streaming."""

from pathlib import Path
from typing import Any

from benchmarks.peers import main


def _schema() -> Any:
    import polars as pl

    text, integer, number = pl.String, pl.Int64, pl.Float64
    seller = pl.Struct({"id": integer, "name": text, "score": number})
    return {
        "id": integer, "url": text, "title": text, "brand": text, "country": text, "price": number, "currency": text,
        "stock": integer, "rating": number, "available": pl.Boolean, "scraped_at": text, "seller": seller, "tags": pl.List(text),
    }  # fmt: skip


def _kept() -> Any:
    import polars as pl

    return (pl.col("country") == "ES") | (pl.col("price") > 50)


def j1(data: Path, out: Path) -> None:
    import polars as pl

    pl.scan_ndjson(data / "records.jsonl", schema=_schema()).filter(_kept()).sink_ndjson(out / "kept.jsonl.gz", compression="gzip")


def j2(data: Path, out: Path) -> None:
    import polars as pl

    pl.scan_ndjson(data / "records.jsonl", schema=_schema()).filter(_kept()).sink_ndjson(out / "kept.jsonl")


def j3(data: Path, out: Path) -> None:
    import polars as pl

    tags = pl.concat_str(pl.lit('["'), pl.col("tags").list.join('","'), pl.lit('"]'))
    (
        pl.scan_ndjson(data / "records.jsonl", schema=_schema())
        .with_columns(
            price_vat=(pl.col("price") * 1.21).round(2),
            seller=pl.col("seller").struct.json_encode(),
            tags=pl.when(pl.col("tags").list.len() == 0).then(pl.lit("[]")).otherwise(tags),
        )
        .drop("url")
        .sink_csv(out / "priced.csv")
    )


def j4(data: Path, out: Path) -> None:
    import polars as pl

    frame = pl.scan_ndjson(data / "parts", schema=_schema())
    target = pl.PartitionBy(out, key="country", include_key=True)
    frame.sink_ndjson(target, compression="gzip", mkdir=True)


def j5_parquet(data: Path, out: Path) -> None:
    import polars as pl

    pl.scan_parquet(data / "flat.parquet").filter(_kept()).sink_parquet(out / "kept.parquet", compression="snappy")


def j5_csv(data: Path, out: Path) -> None:
    import polars as pl

    pl.scan_csv(data / "flat.csv").filter(_kept()).sink_csv(out / "kept.csv")


if __name__ == "__main__":
    main({"j1": j1, "j2": j2, "j3": j3, "j4": j4, "j5_parquet": j5_parquet, "j5_csv": j5_csv})
