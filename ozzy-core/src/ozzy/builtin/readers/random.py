"""Made-up records."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from secrets import randbits
from typing import Any, ClassVar

from ozzy import BaseReader, Batch, Split, option, options

COUNTRIES = ("es", "uk", "us")
STATES = ("València", "Coruña", "Łódź", "Île-de-France", "Thüringen", "Østfold", "Đà Nẵng", "大阪", "Αττική", "Київ")
CITIES = ("Northport", "Millbrook", "Kingsford", "Eastham", "Oakfield", "Redhill", "Stoneleigh")
DISTRICTS = ("Centre", "Harbour", "Market", "Old Town", "Riverside")


@options
class RandomReaderOptions:
    """Options of the random reader."""

    number_of_items: int = option(default=1000, minimum=0, help="Records in all.")
    batch_size: int = option(default=100, minimum=1, help="Records in a batch, at the most.")
    seed: int | None = option(default=None, help="The same seed gives the same records; without one each run has its own.")


class RandomReader(BaseReader):
    """Makes up records: `key` counts from 0, `country_code`, `state`, `city` with `name` and `district`, and `value` from 0 to 10,000.

    A record depends on the seed and its key alone, so that reading goes on anywhere at no cost. A seed that was drawn is in the split
    and in every position.
    """

    Options: ClassVar[type] = RandomReaderOptions

    def splits(self) -> Iterable[Split]:
        """One split, with the seed as its fingerprint."""
        return (Split(fingerprint=str(randbits(32) if self.options.seed is None else self.options.seed)),)

    def read(self, split: Split, position: Any) -> Iterator[Batch]:
        seed = int(split.fingerprint) if position is None else position["seed"]
        begin = 0 if position is None else position["last_read"] + 1
        for start in range(begin, self.options.number_of_items, self.options.batch_size):
            keys = range(start, min(start + self.options.batch_size, self.options.number_of_items))
            yield Batch(
                records=[_record(seed, key) for key in keys],
                split=split.id,
                position={"last_read": keys[-1], "seed": seed},
                origin=keys,
            )


def _record(seed: int, key: int) -> dict[str, Any]:
    drawn = blake2b(b"%d %d" % (seed, key), digest_size=8).digest()
    return {
        "key": key,
        "country_code": COUNTRIES[drawn[0] % len(COUNTRIES)],
        "state": STATES[drawn[1] % len(STATES)],
        "city": {"name": CITIES[drawn[2] % len(CITIES)], "district": DISTRICTS[drawn[3] % len(DISTRICTS)]},
        "value": int.from_bytes(drawn[4:], "big") % 10_001,
    }
