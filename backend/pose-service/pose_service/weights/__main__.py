"""`python -m pose_service.weights [list | fetch NAME… | smpl FILE]`: what is there, and how the rest gets there."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pose_service.weights import table
from pose_service.weights.body_model import BodyModelError, install
from pose_service.weights.check import DEFAULT_FOLDER, check
from pose_service.weights.download import FetchError
from pose_service.weights.fetch import fetch
from pose_service.weights.manifest import ASSETS, MPI
from pose_service.weights.progress import Progress

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 all is there, or was done; 1 something is missing or failed; 2 wrong usage; 130 interrupted."""
    words = _parser().parse_args(argv)
    folder = Path(words.folder)
    try:
        if words.verb == "fetch":
            return _fetch(folder, words.names, words.json)
        if words.verb == "smpl":
            return _install(folder, Path(words.file), words.force, words.json)
        return _list(folder, words.json)
    except (FetchError, BodyModelError, OSError) as error:
        _end(words.json, {"ok": False, "error": str(error)}, f"Failed: {error}")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; the same command goes on from what has come\n")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="one JSON document on stdout")
    common.add_argument("--folder", default=os.environ.get("POSE_MODELS") or DEFAULT_FOLDER, help="the model folder")
    parser = argparse.ArgumentParser(prog="weights", description=__doc__, parents=[common])
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("list", parents=[common], help="what is there and what is missing")
    fetching = verbs.add_parser("fetch", parents=[common], help="fetch what anybody may fetch")
    fetching.add_argument("names", nargs="*", choices=[*(one.name for one in ASSETS), []], metavar="NAME")
    smpl = verbs.add_parser("smpl", parents=[common], help="convert the SMPL file that you registered for")
    smpl.add_argument("file")
    smpl.add_argument("--force", action="store_true", help="replace the one that is there")
    return parser


def _list(folder: Path, is_json: bool) -> int:
    findings = check(folder, ASSETS)
    is_complete = all(one.is_good for one in findings)
    body = {"ok": is_complete, "folder": str(folder), "files": [one.to_json() for one in findings]}
    _end(is_json, body, table.text(findings))
    return 0 if is_complete else FAILED


def _fetch(folder: Path, names: Sequence[str], is_json: bool) -> int:
    wanted = [one for one in ASSETS if one.name in names] if names else [one for one in ASSETS if one.url]
    refused = [one for one in wanted if not one.url]
    if refused:
        _end(is_json, {"ok": False, "error": refused[0].how_to_get}, f"{refused[0].name}: {refused[0].how_to_get}")
        return WRONG_USAGE
    with Progress(sys.stderr) as progress:
        new = [one.name for one in fetch(folder, wanted, progress.tell)]
    _end(is_json, {"ok": True, "fetched": new}, f"fetched: {', '.join(new)}" if new else "all of it was there")
    return 0


def _install(folder: Path, file: Path, is_forced: bool, is_json: bool) -> int:
    sys.stderr.write(f"{MPI}\n")
    targets = tuple(one.path for one in ASSETS if one.name.startswith("smpl-neutral"))
    paths = [str(path) for path in install(file, folder, targets, is_forced)]
    _end(is_json, {"ok": True, "installed": paths}, f"installed: {', '.join(paths)}")
    return 0


def _end(is_json: bool, body: dict[str, Any], text: str) -> None:
    sys.stdout.write(f"{json.dumps(body, indent=2) if is_json else text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
