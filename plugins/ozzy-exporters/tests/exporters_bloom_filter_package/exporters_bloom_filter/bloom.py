import hashlib


class BloomFilter:
    """Remembers texts in a fixed number of bits: one that was added is always found, one that was not nearly never."""

    def __init__(self, bits=2**20, hashes=7):
        self.bits = bits
        self.hashes = hashes
        self.seen = bytearray(bits // 8)

    def add(self, text):
        """Remember a text; whether it was there already."""
        digest = hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()
        first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
        known = True
        for number in range(self.hashes):
            place, bit = divmod((first + number * step) % self.bits, 8)
            known = known and bool(self.seen[place] & (1 << bit))
            self.seen[place] |= 1 << bit
        return known
