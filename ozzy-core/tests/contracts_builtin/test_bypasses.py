"""The bypasses of the core pass their suite."""
# ruff: noqa: RUF012

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ozzy.builtin.bypasses.stream import StreamBypass
from ozzy.testing import BypassContract


def source(folder: Path) -> dict[str, Any]:
    """Files that can be copied, and one for each reason why one can't."""
    folder.mkdir()
    lines = [json.dumps({"id": number, "name": f"näme {number}"}, ensure_ascii=False).encode() + b"\n" for number in range(60)]
    (folder / "a.jl.gz").write_bytes(gzip.compress(b"".join(lines[:10])))
    (folder / "b.jl").write_bytes(b"".join(lines[10:20]))
    (folder / "c.jl.gz").write_bytes(gzip.compress(lines[20] + b"\n" + lines[21]))
    (folder / "d.jl.gz").write_bytes(gzip.compress(b"".join(lines[22:25])[:-1]))
    (folder / "e.jl.gz").write_bytes(gzip.compress(lines[25].replace(b"\n", b"\r\n")))
    (folder / "f.csv.gz").write_bytes(gzip.compress(b"id\n26\n"))
    (folder / "g.jl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + lines[27]))
    (folder / "h.jl.gz").write_bytes(gzip.compress(b""))
    (folder / "i.jl.gz").write_bytes(b"")
    (folder / "j.jl.gz").write_bytes(gzip.compress(b"".join(lines[30:40])) + gzip.compress(b"".join(lines[40:])))
    return {"name": "fs", "options": {"input": str(folder), "batch_size": 4}}


class TestStreamBypass(BypassContract):
    module = StreamBypass
    writer = {"name": "fs", "options": {"filebase": "out/{source}"}}

    @pytest.fixture
    def reader(self, tmp_path: Path) -> dict[str, Any]:
        return source(tmp_path / "source")


class TestTrustingStreamBypass(BypassContract):
    module = StreamBypass
    options = {"verify": False}
    writer = {"name": "fs", "options": {"filebase": "out/{source}", "compression": "none", "generate_md5": True, "if_exists": "number"}}

    @pytest.fixture
    def reader(self, tmp_path: Path) -> dict[str, Any]:
        folder = tmp_path / "source"
        folder.mkdir()
        for number, name in enumerate(("a", "b")):
            (folder / f"{name}.jl").write_text(f'{{"id": {number}}}\n')
        (folder / "c.jl.gz").write_bytes(gzip.compress(b'{"id": 2}\n'))
        return {"name": "fs", "options": {"input": str(folder)}}
