"""The unit tests once more as on somebody else's machine: another zone, no locale, no home, an odd read-only folder.

`python tests/elsewhere.py`, or with words for pytest in place of all; `nox -s unit_elsewhere` runs it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = "a folder with blanks é"
# Kathmandu is 5 h 45 min ahead of UTC: an offset that is dropped, or taken for whole hours, shows.
SETTINGS = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONDONTWRITEBYTECODE": "1"}
# Root may write anywhere, unless it gives that right away.
WITHOUT_ROOTS_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
MAY_NOT_WRITE = 0o222


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, NAME)
        _copy_checkout(copy)
        _set_writable(copy, False)
        try:
            return _run_tests(copy)
        finally:
            _set_writable(copy, True)


def _copy_checkout(copy: Path) -> None:
    """Everything that git would commit."""
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout.split(b"\0")
    os.umask(0o002)
    for name in filter(None, names):
        source, target = ROOT / os.fsdecode(name), copy / os.fsdecode(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(source):
            shutil.copyfile(source, target, follow_symlinks=False)
            shutil.copymode(source, target, follow_symlinks=False)


def _set_writable(copy: Path, is_writable: bool) -> None:
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if is_writable else mode & ~MAY_NOT_WRITE)


def _run_tests(copy: Path) -> int:
    as_anybody = WITHOUT_ROOTS_RIGHTS if os.geteuid() == 0 and shutil.which("setpriv") else ()
    words = ("-m", "pytest", "-p", "no:cacheprovider", "-n", "auto", *(sys.argv[1:] or ("tests/unit",)))
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    argv = (*as_anybody, sys.executable, *words)
    return subprocess.run(argv, cwd=copy, env={**kept, **SETTINGS}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
