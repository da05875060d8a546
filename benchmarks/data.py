"""The seeded records that every job reads, as JSON lines, gzip files, CSV and Parquet; made once and kept in a folder."""

import csv
import gzip
import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import attrs
import msgspec

SEED = 20240607
PARTS = 20
BLOCK = 131_072

COUNTRIES = (  # noqa: SIM905 - easier to read
    "ES US DE FR GB IT BR MX JP CA NL PL SE PT AR CL CO AT CH BE DK NO FI IE CZ HU RO GR TR IN CN KR AU NZ ZA EG MA NG KE IL "
    "AE SA TH VN MY SG PH ID PE UY"
).split()
CURRENCIES = {"ES": "EUR", "DE": "EUR", "FR": "EUR", "IT": "EUR", "GB": "GBP", "JP": "JPY"}
BRANDS = ("Acme", "Globex", "Initech", "Umbrella", "Señor Sol", "Łódź Works", "Œuvre", "北方", "Stark", "Wayne")
NOUNS = ("chair", "lamp", "table", "kettle", "jacket", "clock", "camera", "bicycle", "guitar", "backpack", "mirror", "cushion")
ADJECTIVES = ("red", "small", "wooden", "vintage", "foldable", "café", "electric", "waterproof", "heavy", "light")
SELLERS = ("Mercado Azul", "Best Shop", "Nordic House", "Casa Ñandú", "Quick & Co", "Outlet 24")
FLAT = ("id", "url", "title", "brand", "country", "price", "currency", "stock", "rating", "available", "scraped_at", "seller", "tags")


@attrs.frozen
class Data:
    """Where the records are. `lines` is one file of JSON lines, `parts` a folder of gzip files; `csv` and `parquet` hold them flattened."""

    folder: Path
    records: int

    @property
    def lines(self) -> Path:
        return self.folder / "records.jsonl"

    @property
    def parts(self) -> Path:
        return self.folder / "parts"

    @property
    def csv(self) -> Path:
        return self.folder / "flat.csv"

    @property
    def parquet(self) -> Path:
        return self.folder / "flat.parquet"


def prepared(cache: Path, records: int) -> Data:
    """The data of this many records, made unless the folder has it already."""
    data = Data(cache / f"{records}-{SEED}", records)
    done = data.folder / "complete"
    if not done.exists():
        data.parts.mkdir(parents=True, exist_ok=True)
        _write_lines(data)
        _write_flat(data)
        done.touch()
    return data


def made(records: int) -> Iterator[dict[str, Any]]:
    """The records, the same ones every time; some lack brand, price, rating or seller."""
    rnd = random.Random(SEED)
    weights = list(accumulate(1 / (rank + 1) for rank in range(len(COUNTRIES))))
    for number in range(records):
        country = rnd.choices(COUNTRIES, cum_weights=weights)[0]
        words = f"{rnd.choice(ADJECTIVES)} {rnd.choice(ADJECTIVES)} {rnd.choice(NOUNS)} {rnd.choice(NOUNS)}"
        record: dict[str, Any] = {
            "id": number,
            "url": f"https://www.shop.example/{country.lower()}/products/2024/{words.replace(' ', '-')}/{number:09d}",
            "title": f"{words}, model {rnd.randrange(1000)}",
        }
        if rnd.random() < 0.9:
            record["brand"] = rnd.choice(BRANDS)
        record["country"] = country
        if rnd.random() < 0.95:
            record["price"] = round(rnd.lognormvariate(3.0, 1.2), 2)
        record |= {"currency": CURRENCIES.get(country, "USD"), "stock": rnd.randrange(500)}
        if rnd.random() < 0.8:
            record["rating"] = round(rnd.random() * 5, 1)
        day, second = rnd.randrange(1, 29), rnd.randrange(86_400)
        record["available"] = rnd.random() < 0.7
        record["scraped_at"] = f"2024-05-{day:02d}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
        if rnd.random() < 0.85:
            record["seller"] = {"id": rnd.randrange(10_000), "name": rnd.choice(SELLERS), "score": round(rnd.random() * 100, 1)}
        record["tags"] = [rnd.choice(NOUNS) for _ in range(rnd.randrange(5))]
        yield record


def _write_lines(data: Data) -> None:
    encode = msgspec.json.Encoder().encode
    each = -(-data.records // PARTS)
    with data.lines.open("wb") as whole:
        part: gzip.GzipFile | None = None
        for number, record in enumerate(made(data.records)):
            if number % each == 0:
                if part is not None:
                    part.close()
                part = gzip.GzipFile(data.parts / f"part-{number // each:02d}.jsonl.gz", "wb", compresslevel=4, mtime=0)
            line = encode(record) + b"\n"
            whole.write(line)
            assert part is not None
            part.write(line)
        if part is not None:
            part.close()


def _write_flat(data: Data) -> None:
    """The records with seller and tags as JSON texts: as CSV, empty where a field is missing, and as Parquet, null there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, integer, number = pa.string(), pa.int64(), pa.float64()
    kinds = {"id": integer, "price": number, "stock": integer, "rating": number, "available": pa.bool_()}
    schema = pa.schema([(name, kinds.get(name, text)) for name in FLAT])
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(dict[str, Any]).decode
    with (
        data.lines.open("rb") as lines,
        data.csv.open("w", newline="", encoding="utf-8") as file,
        pq.ParquetWriter(data.parquet, schema) as table,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(FLAT)
        block: list[dict[str, Any]] = []
        for line in lines:
            record = decode(line)
            for name in ("seller", "tags"):
                record[name] = encode(record[name]).decode() if name in record else None
            rows.writerow([str(record[name]).lower() if name == "available" else record.get(name) for name in FLAT])
            block.append(record)
            if len(block) == BLOCK:
                table.write_table(pa.Table.from_pylist(block, schema))
                block.clear()
        if block:
            table.write_table(pa.Table.from_pylist(block, schema))
