"""Every check of the project by name: `nox -l` explains them, `nox` runs the marked ones, `nox -s NAME` runs one."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.stop_on_first_error = True
nox.options.sessions = [
    *("lint", "format", "typing", "tests", "coverage", "extension", "crash", "docs_examples", "docs", "packages", "readme"),
]

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # tests start the command hundreds of times: it need not be compiled each time
HERE = Path(__file__).parent
CORE = HERE / "ozzy-core"
PLUGINS = sorted(path.parent for path in HERE.glob("plugins/*/pyproject.toml"))
WORKERS = ("-n", str(min(2 * (os.cpu_count() or 1), 8)), "--dist", "worksteal")
"""Two for each processor: tests wait for disks, servers and processes that they kill."""
FEWER_KILLS = {"OZZY_TEST_KILLS": "6"}
"""Where every suite of every module kills runs: at a third as many steps as by itself. The session `crash` kills at far more."""
FLOOR = 95.0
MEMORY = Path("/dev/shm")
WITHOUT_EXTENSION = ("data", "builtin/decoders", "builtin/filters", "builtin/formatters", "builtin/groupers", "builtin/transforms")
"""The tests of all that the extension does."""
SANITIZED = ("data/test_packed.py", "data/test_native_csv.py", "builtin/decoders/test_csv_packed.py")
"""The tests that look at nothing but the extension."""
ROOM = 6 * 2**30
"""Bytes that tests may leave in memory."""
EDITABLE = [part for path in (CORE, *PLUGINS) for part in ("-e", str(path))]
BINARIES = "Scripts" if sys.platform == "win32" else "bin"
SHARED = HERE / ".nox" / "shared"
made: list[Path] = []
"""Environments that this call of nox has brought up to date."""


def group(name: str, folder: Path = HERE) -> tuple[str, ...]:
    """What a dependency group of a folder's pyproject.toml names."""
    return nox.project.dependency_groups(nox.project.load_toml(folder / "pyproject.toml"), name)


def shared(session: nox.Session, command: str, *arguments: str, env: Mapping[str, str] | None = None, silent: bool = False) -> Any:
    """Run a command where the core, all plugins and what tests need are: sessions share that environment, and the first one makes it."""
    if not made:
        if not SHARED.exists():
            session.run(sys.executable, "-m", "venv", str(SHARED), external=True)
        session.run(str(SHARED / BINARIES / "pip"), "install", "-q", *EDITABLE, *group("tests"), external=True)
        made.append(SHARED)
    path = os.pathsep.join((str(SHARED / BINARIES), os.environ["PATH"]))
    env = {"PATH": path, "VIRTUAL_ENV": str(SHARED), **(env or {})}
    return session.run(str(SHARED / BINARIES / command), *arguments, external=True, silent=silent, env=env)


@contextmanager
def quick_folder() -> Iterator[tuple[str, ...]]:
    """Where tests keep their files: in memory where there is room, since they sync to disk again and again; else where pytest likes."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield ()
        return
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield ("--basetemp", f"{folder}/tests")


@nox.session
def lint(session: nox.Session) -> None:
    """Look for mistakes and bad habits with ruff."""
    session.install("-q", *group("lint"))
    session.run("ruff", "check", *session.posargs)


@nox.session(name="format")
def layout(session: nox.Session) -> None:
    """See that the code is laid out as ruff lays it out (the session `fix` does it)."""
    session.install("-q", *group("lint"))
    session.run("ruff", "format", "--diff", *session.posargs)


@nox.session
def fix(session: nox.Session) -> None:
    """Let ruff lay out the code and mend what it can."""
    session.install("-q", *group("lint"))
    session.run("ruff", "check", "--fix", *session.posargs)
    session.run("ruff", "format", *session.posargs)


@nox.session(venv_backend="none")
def typing(session: nox.Session) -> None:
    """Check all types with mypy, strictly."""
    shared(session, "mypy", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the tests, all but slow ones and those of the docs; of those about the core, note which lines and branches they reach."""
    arguments = (*WORKERS, "-m", "not slow", "--ignore=tests/docs")
    core = ("--cov", "--cov-report=", "ozzy-core/tests", "tests", "plugins/ozzy-arrow")
    others = [str(path.relative_to(HERE)) for path in PLUGINS if path.name != "ozzy-arrow"]
    for tested in (session.posargs,) if session.posargs else (core, others):
        with quick_folder() as folder:
            shared(session, "pytest", *arguments, *folder, *tested, env=FEWER_KILLS)


@nox.session
@nox.parametrize("package", [path.name for path in PLUGINS], ids=[path.name for path in PLUGINS])
def alone(session: nox.Session, package: str) -> None:
    """Run the tests of one package with nothing installed but the core and what its own group `tests` names."""
    folder = HERE / "plugins" / package
    session.install("-q", "-e", str(CORE), "-e", str(folder), *group("tests", folder))
    session.run("pytest", "-m", "not slow", *(session.posargs or [str(folder / "tests")]), env=FEWER_KILLS)


@nox.session(venv_backend="none")
def coverage(session: nox.Session) -> None:
    """Fail where the tests reached less than 95 % of the core's lines or of its branches."""
    shared(session, "coverage", "report", *session.posargs)
    report = Path(session.create_tmp()) / "coverage.json"
    shared(session, "coverage", "json", "-q", "-o", str(report), silent=True)
    totals = json.loads(report.read_text())["totals"]
    lines = 100 * totals["covered_lines"] / totals["num_statements"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    session.log(f"lines {lines:.1f} %, branches {branches:.1f} %, wanted {FLOOR:.0f} % of each")
    if min(lines, branches) < FLOOR:
        session.error("the tests reach too little")


@nox.session(venv_backend="none")
def extension(session: nox.Session) -> None:
    """Run the tests of all that the extension does without it, and its own with one that looks at each access to memory.

    The latter takes gcc on Linux.
    """
    with quick_folder() as folder:
        env = {**FEWER_KILLS, "OZZY_PURE_PYTHON": "1"}
        shared(session, "pytest", *WORKERS, *folder, "-m", "not slow", *(str(CORE / "tests" / one) for one in WITHOUT_EXTENSION), env=env)
    if sys.platform == "linux" and shutil.which("gcc") is not None:
        env = sanitized(session)
        shared(session, "pytest", *WORKERS, "-p", "no:cacheprovider", *(str(CORE / "tests" / one) for one in SANITIZED), env=env)


def sanitized(session: nox.Session) -> dict[str, str]:
    """Build the extension with the sanitizers of gcc into a copy of the core; the environment in which that one is imported."""
    copy = Path(session.create_tmp()) / "sanitized"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(CORE / "src", copy, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info"))
    include = shared(session, "python", "-c", "import sysconfig; print(sysconfig.get_paths()['include'])", silent=True).strip()
    flags = ("-shared", "-fPIC", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    sources = sorted(map(str, (CORE / "native").glob("*.c")))
    session.run("gcc", *flags, f"-I{include}", "-o", str(copy / "ozzy" / "data" / "_native.abi3.so"), *sources, external=True)
    libraries = [
        session.run("gcc", f"-print-file-name={name}", external=True, silent=True).strip() for name in ("libasan.so", "libubsan.so")
    ]
    return {"LD_PRELOAD": " ".join(libraries), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc", "PYTHONPATH": str(copy)}


@nox.session(venv_backend="none")
def docs_examples(session: nox.Session) -> None:
    """Run the code of README and of the pages of docs/, and compare what it prints with what they say."""
    shared(session, "pytest", *WORKERS, "tests/docs", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into site/, with warnings as errors (`nox -s docs -- serve` shows it instead)."""
    session.install("-q", *EDITABLE, *group("docs"))
    session.run("mkdocs", *(session.posargs or ["build", "--strict", "-q"]), env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def readme(session: nox.Session) -> None:
    """Paste the first command of README into a copy of the files that holds nothing else, and look at what it exports."""
    copy = Path(session.create_tmp()) / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    for path in session.run("git", "ls-files", external=True, silent=True).splitlines():
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / path, target)
    command = (HERE / "README.md").read_text(encoding="utf-8").partition("```bash\n")[2].partition("```")[0]
    with session.chdir(copy):
        session.run("bash", "-euc", command, external=True, env={"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    files = sorted(path.relative_to(copy).as_posix() for path in copy.glob("exported/*/*.csv"))
    session.log("\n".join(files))
    if len(files) != 6:
        session.error(f"expected a file for each of five countries and one for unknown, found {len(files)}")


@nox.session(venv_backend="none")
def crash(session: nox.Session) -> None:
    """Run the slow tests: kill real runs, or cut their power, again and again, and compare what they leave."""
    with quick_folder() as folder:
        shared(session, "pytest", *WORKERS, *folder, "-m", "slow", *session.posargs)


@nox.session
def packages(session: nox.Session) -> None:
    """Build each package, look at its metadata, and use the built wheel in an environment that holds nothing else."""
    session.install("-q", "build", "twine")
    built = Path(session.create_tmp()) / "dist"
    for old in built.glob("*"):
        old.unlink()
    for package in (CORE, *PLUGINS):
        session.run("python", "-m", "build", "--outdir", str(built), str(package), silent=True)
    session.run("twine", "check", "--strict", *map(str, sorted(built.iterdir())))
    alone = Path(session.create_tmp()) / "alone"
    session.run(sys.executable, "-m", "venv", "--clear", str(alone), external=True)
    binaries = alone / BINARIES
    session.run(str(binaries / "pip"), "install", "-q", *map(str, sorted(built.glob("*.whl"))), external=True)
    session.run(str(binaries / "pip"), "check", external=True)
    session.run(str(binaries / "python"), "-c", "import ozzy.data._native", external=True)
    session.run(str(binaries / "ozzy"), "plugins", "list", external=True)
    session.run(str(binaries / "ozzy"), "plugins", "new", "tide-gauge", "--kind", "reader,writer", "--dry-run", external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure ozzy and its peers at the same jobs, and write table and chart into docs/ (`nox -s bench -- --help`)."""
    session.install("-q", *EDITABLE, *group("bench"))
    alone = Path(session.create_tmp()) / "singer"
    target = alone / BINARIES / "target-jsonl"
    if not target.exists():
        session.run(sys.executable, "-m", "venv", "--clear", str(alone), external=True)
        session.run(str(target.with_name("pip")), "install", "-q", "target-jsonl", external=True)
    session.run("python", "-m", "benchmarks", *session.posargs, env={"SINGER_TARGET": str(target)})
