"""Ended runtimes in an image, found without its name."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from layerstack.audit.image_audit import audit_image
from layerstack.audit.image_files import open_image
from layerstack.audit.runtime_checks import check_end_of_life
from tests.unit.saved_image import Files, write_image

DAY = date(2026, 11, 27)
BULLSEYE = {"etc/os-release": b'PRETTY_NAME="Debian"\nVERSION_ID="11"\nVERSION="11 (bullseye)"\nID=debian\n'}
NODE_18 = {"usr/local/include/node/node_version.h": b"#define X\n#define NODE_MAJOR_VERSION 18\n"}


@pytest.mark.parametrize(
    ("files", "environment", "labels", "remedies"),
    [
        (BULLSEYE, (), None, ["Debian 12"]),
        ({"usr/lib/os-release": b"ID=alpine\nVERSION_ID=3.18.4\n"}, (), None, ["Alpine 3.22"]),
        (NODE_18, ("NODE_VERSION=18.20.4",), None, ["Node.js 22"]),
        ({"usr/local/bin/python3.9": b"x", **BULLSEYE}, ("PYTHON_VERSION=3.9.18",), None, ["Python 3.11", "Debian 12"]),
        ({"a": b""}, ("PG_MAJOR=12",), None, ["PostgreSQL 15"]),
        ({"a": b""}, (), {"layerstack.stand-in-for": "node:18-bullseye"}, ["Node.js 22"]),
        # A distribution repairs its own packages until its own end.
        ({"usr/bin/python3.9": b"x", "usr/lib/python3.9/os.py": b"x"}, (), None, []),
        ({"etc/os-release": b'ID=debian\nVERSION_ID="12"\n'}, ("NODE_VERSION=22.1.0",), None, []),
        ({"etc/os-release": b"\xff\xfe", "usr/local/include/node/node_version.h": b""}, ("PYTHON_VERSION=",), None, []),
    ],
)
def test_what_an_image_holds_tells_which_versions_have_ended(
    tmp_path: Path, files: Files, environment: Sequence[str], labels: Mapping[str, str] | None, remedies: list[str]
) -> None:
    path = write_image(tmp_path / "image.tar", [files], environment, labels=labels)
    with open_image(path) as image:
        found = list(check_end_of_life(image, DAY))
    assert {(one.check, one.severity) for one in found} <= {("end-of-life", "warning")}
    assert [one.remedy.removeprefix("Build on an image with ").partition(" or newer")[0] for one in found] == remedies


def test_an_audit_warns_of_them_and_can_be_told_not_to(tmp_path: Path) -> None:
    path = write_image(tmp_path / "image.tar", [BULLSEYE])
    found = audit_image(path)
    assert ([one.check for one in found.findings], found.is_ok) == (["end-of-life"], True)
    silent = audit_image(path, ignored=["end-of-life"])
    assert ([*silent.findings], [one.check for one in silent.ignored]) == ([], ["end-of-life"])
