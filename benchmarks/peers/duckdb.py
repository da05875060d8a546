"""DuckDB, in SQL, on two threads."""

from pathlib import Path

from benchmarks.peers import main

COLUMNS = """columns = {id: 'BIGINT', url: 'VARCHAR', title: 'VARCHAR', brand: 'VARCHAR', country: 'VARCHAR', price: 'DOUBLE',
    currency: 'VARCHAR', stock: 'BIGINT', rating: 'DOUBLE', available: 'BOOLEAN', scraped_at: 'VARCHAR',
    seller: 'STRUCT(id BIGINT, name VARCHAR, score DOUBLE)', tags: 'VARCHAR[]'}"""
KEPT = "country = 'ES' or price > 50"


def _run(sql: str) -> None:
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    connection.execute(sql)


def j1(data: Path, out: Path) -> None:
    source = f"read_ndjson('{data}/records.jsonl', {COLUMNS})"
    _run(f"copy (select * from {source} where {KEPT}) to '{out}/kept.jsonl.gz' (format json, compression gzip)")


def j2(data: Path, out: Path) -> None:
    source = f"read_ndjson('{data}/records.jsonl', {COLUMNS})"
    _run(f"copy (select * from {source} where {KEPT}) to '{out}/kept.jsonl' (format json)")


def j3(data: Path, out: Path) -> None:
    source = f"read_ndjson('{data}/records.jsonl', {COLUMNS})"
    select = "select * exclude (url, seller, tags), to_json(seller) as seller, to_json(tags) as tags, round(price * 1.21, 2) as price_vat"
    _run(f"copy ({select} from {source}) to '{out}/priced.csv' (format csv, header)")


def j4(data: Path, out: Path) -> None:
    source = f"read_ndjson('{data}/parts/*.gz', {COLUMNS})"
    options = "format json, compression gzip, partition_by (country), write_partition_columns true, file_extension 'jsonl.gz'"
    _run(f"copy (select * from {source}) to '{out}' ({options}, overwrite_or_ignore)")


def j5_parquet(data: Path, out: Path) -> None:
    _run(f"copy (select * from '{data}/flat.parquet' where {KEPT}) to '{out}/kept.parquet' (format parquet)")


def j5_csv(data: Path, out: Path) -> None:
    _run(f"copy (select * from read_csv('{data}/flat.csv') where {KEPT}) to '{out}/kept.csv' (format csv, header)")


if __name__ == "__main__":
    main({"j1": j1, "j2": j2, "j3": j3, "j4": j4, "j5_parquet": j5_parquet, "j5_csv": j5_csv})
