"""Installs the servers that tests talk to: `python3 tests/servers/install.py [NAME …]`, all of them where none is named.

What is there already is left alone. Each is made in a temporary folder and renamed when it is whole, so that an installation that was
broken off is never taken for a good one. Needs nothing but Python, Go for the servers that are written in it, and the right to use apt for
databases.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

GO = {
    "versitygw": ("1.8.0", "github.com/versity/versitygw/cmd/versitygw", "versitygw"),
    "toxiproxy": ("2.5.0", "github.com/Shopify/toxiproxy/v2/cmd/server", "server"),
}
"""Servers written in Go: version, package, and what the program is called when it is built."""

PACKAGES = {"mariadb": ("mariadb-server", "mariadbd"), "postgresql": ("postgresql", "postgres")}
"""Servers that the system brings: the package of Debian, and the program."""


def program(name: str) -> Path | None:
    """Where the program of a server that the system brings is, None where it is not installed. PostgreSQL keeps its own out of PATH."""
    places = [*map(Path, os.environ.get("PATH", os.defpath).split(os.pathsep)), Path("/usr/sbin"), Path("/usr/local/sbin")]
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True)
    return next((place / name for place in (*versions, *places) if (place / name).is_file()), None)


def install_packages(names: Sequence[str]) -> None:
    """Install servers that the system brings; none of them is started, and PostgreSQL makes no database of its own."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SystemExit(f"{', '.join(names)}: to be installed by the system's own means, as its administrator")
    own = Path("/etc/postgresql-common/createcluster.conf")
    if "postgresql" in names and not own.exists():
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text("create_main_cluster = false\n", encoding="utf-8")
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], env=quiet, check=True, stdin=subprocess.DEVNULL)
    wanted = [PACKAGES[name][0] for name in names]
    subprocess.run([*apt, "install", "-y", "--no-install-recommends", *wanted], env=quiet, check=True, stdin=subprocess.DEVNULL)


def cache() -> Path:
    """The folder of all servers: OZZY_TEST_SERVERS, else one in the cache of the user."""
    return Path(os.environ.get("OZZY_TEST_SERVERS") or Path.home() / ".cache" / "ozzy-servers")


def install_go(name: str, folder: Path, work: Path) -> None:
    """Build one server into a folder; what Go keeps on the way goes to `work`."""
    version, package, program = GO[name]
    go = shutil.which("go")
    if go is None:
        raise SystemExit(f"{name} is built with Go, which is not installed: https://go.dev/doc/install")
    variables = {
        "GOBIN": str(folder),
        "GOPATH": str(work / "path"),
        "GOCACHE": str(work / "cache"),
        "CGO_ENABLED": "0",
        "GOFLAGS": "-modcacherw",
    }
    command = [go, "install", "-trimpath", "-ldflags=-s -w", f"{package}@v{version}"]
    subprocess.run(command, env=os.environ | variables, check=True, stdin=subprocess.DEVNULL)
    (folder / program).rename(folder / name)


def main(names: Sequence[str]) -> None:
    """Install what is missing."""
    unknown = sorted(set(names) - {*GO, *PACKAGES})
    if unknown:
        raise SystemExit(f"there is no server {', '.join(unknown)}; there are {', '.join((*GO, *PACKAGES))}")
    missing = [name for name in names or PACKAGES if name in PACKAGES and program(PACKAGES[name][1]) is None]
    if missing:
        install_packages(missing)
    place = cache()
    place.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in names or GO if name in GO and not (place / f"{name}-{GO[name][0]}").is_dir()]
    if not wanted:
        return
    with tempfile.TemporaryDirectory(dir=place, prefix="making-") as making:
        for name in wanted:
            began = time.monotonic()
            folder = Path(making) / name
            folder.mkdir()
            install_go(name, folder, Path(making) / "go")
            target = place / f"{name}-{GO[name][0]}"
            if not target.exists():
                folder.rename(target)
            print(f"{target}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
