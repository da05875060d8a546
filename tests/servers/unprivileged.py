"""Servers that refuse to run as root: they run as `nobody` then, in a folder that this user may enter."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

USER = "nobody"


def as_nobody(command: Sequence[str | Path]) -> list[str]:
    """A command as `nobody` where it would be run by root."""
    found = [str(part) for part in command]
    if os.geteuid() != 0:
        return found
    return ["setpriv", "--reuid", USER, "--regid", str(_group()), "--clear-groups", *found]


@contextmanager
def folder_of_nobody() -> Iterator[Path]:
    """A folder that the server owns, with a short path (sockets have no room for long ones); deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ozzy-db-"))
    try:
        give(folder)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give(path: Path, mode: int | None = None) -> Path:
    """Let the server own a file or folder."""
    if mode is not None:
        path.chmod(mode)
    if os.geteuid() == 0:
        shutil.chown(path, USER, _group())
    return path


def run(command: Sequence[str | Path], log: Path) -> None:
    """Run a command of a server to its end, as `nobody`. Raises RuntimeError with the beginning of what it said."""
    with log.open("ab") as file:
        done = subprocess.run(as_nobody(command), stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{log.read_text(errors='replace')[:2000]}")


def _group() -> int:
    import pwd

    return pwd.getpwnam(USER).pw_gid
