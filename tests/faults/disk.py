"""A small disk of its own: a tmpfs, mounted here or, for users who may not, in a namespace of their own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest


@attrs.frozen
class SmallDisk:
    """A disk mounted at `path`; `prefix` is how a command is begun that is to see it, `seen` where this process finds it."""

    path: Path
    prefix: tuple[str, ...] = ()
    seen: Path = Path()

    def remount(self, options: str) -> None:
        """Change its size, or whether it may be written."""
        subprocess.run([*self.prefix, "mount", "-i", "-t", "tmpfs", "-o", f"remount,{options}", "tmpfs", str(self.path)], check=True)


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a disk of this size; the test is skipped where neither way is allowed."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if not shutil.which("mount"):
        pytest.skip("there is no mount here")
    if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield SmallDisk(path, (), path)
        finally:
            subprocess.run(["umount", "-l", str(path)], check=True)
        return
    with _namespace() as holder:
        prefix = ("nsenter", "--preserve-credentials", "-U", "-m", "-t", str(holder), f"--wd={path.parent}")
        done = subprocess.run([*prefix, *mount], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        yield SmallDisk(path, prefix, Path(f"/proc/{holder}/root{path}"))


@contextmanager
def _namespace() -> Iterator[int]:
    """A process that keeps a namespace in which its user may mount; its number."""
    if not shutil.which("unshare"):
        pytest.skip("mounting is not allowed here, and there is no unshare")
    process = subprocess.Popen(["unshare", "-rm", "sh", "-c", "echo ready; exec sleep 300"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            assert process.stderr is not None
            pytest.skip(f"mounting is not allowed here: {os.fsdecode(process.stderr.read()).strip()}")
        yield process.pid
    finally:
        process.kill()
        process.communicate()
