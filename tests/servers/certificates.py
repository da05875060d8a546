"""A certificate for a server of a test, and the authority that signed it."""

from pathlib import Path

from tests.servers.unprivileged import give


def certificate(folder: Path) -> Path:
    """Put `server.pem` and `server.key` for 127.0.0.1 and localhost into a folder of a server; the file of their authority."""
    import trustme

    authority = trustme.CA()
    made = authority.issue_cert("localhost", "127.0.0.1")
    (folder / "server.pem").write_bytes(b"".join(pem.bytes() for pem in made.cert_chain_pems))
    (folder / "server.key").write_bytes(made.private_key_pem.bytes())
    give(folder / "server.pem")
    give(folder / "server.key", 0o600)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return folder / "authority.pem"
