"""pyarrow, block by block."""

from pathlib import Path
from typing import Any

from benchmarks.peers import main


def _kept(batch: Any) -> Any:
    import pyarrow.compute as pc

    return batch.filter(pc.or_kleene(pc.equal(batch["country"], "ES"), pc.greater(batch["price"], 50.0)))


def j5_parquet(data: Path, out: Path) -> None:
    import pyarrow.parquet as pq

    source = pq.ParquetFile(data / "flat.parquet")
    with pq.ParquetWriter(out / "kept.parquet", source.schema_arrow) as target:
        for batch in source.iter_batches(131_072):
            target.write_batch(_kept(batch))


def j5_csv(data: Path, out: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv as pc

    kinds = pc.ConvertOptions(column_types={"id": pa.int64(), "stock": pa.int64(), "price": pa.float64(), "rating": pa.float64()})
    with pc.open_csv(data / "flat.csv", convert_options=kinds) as source, pc.CSVWriter(out / "kept.csv", source.schema) as target:
        for batch in source:
            target.write_batch(_kept(batch))


if __name__ == "__main__":
    main({"j5_parquet": j5_parquet, "j5_csv": j5_csv})
