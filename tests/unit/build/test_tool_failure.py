"""What the tools of a RUN step wrote, read for the one line that says why."""

import pytest

from layerstack.build.tool_failure import read_failure, shown_lines

NPM_SYNC = """npm error code EUSAGE
npm error
npm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.
npm error Missing: left-pad@1.3.0 from lock file
npm error
npm error Clean install a project
npm error
npm error Usage:
npm error npm ci
npm error
npm error Options:
npm error [--install-strategy <hoisted|nested|shallow|linked>] [--legacy-bundling]
npm error
npm error aliases: clean-install, ic
npm error
npm error Run "npm help ci" for more info
npm notice New major version of npm available! 10.8.2 -> 12.2.2
npm error A complete log of this run can be found in: /home/app/.npm/_logs/x.log
"""  # noqa: E501


PIP_HASH = """ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated them.
    bottle==0.12.25 from https://files.example/bottle-0.12.25-py3-none-any.whl (from -r requirements.txt (line 1)):
        Expected sha256 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
             Got        d6f15f9d422670b7c073d63bd8d287b135388da187a0f3e3c19293626ce034ea
"""
PIP_CONFLICT = """The conflict is caused by:
    The user requested werkzeug==2.0.0
    flask 3.0.3 depends on Werkzeug>=3.0.0

To fix this you could try to:
ERROR: ResolutionImpossible: for help visit https://pip.example
"""
PIP_CONFIG = """    Error: pg_config executable not found.
ERROR: No matching distribution found for psycopg2==2.9.9
"""
PIP_OTHER_PYTHON = """ERROR: Ignored the following versions that require a different python version: 2.3.0 x >=3.11
ERROR: Could not find a version that satisfies the requirement numpy==2.3.0 (from versions: 1.26.4)
ERROR: No matching distribution found for numpy==2.3.0
"""


@pytest.mark.parametrize(
    ("log", "named", "repair"),
    [
        (NPM_SYNC, "EUSAGE", "cd web && npm install --package-lock-only"),
        ("npm error 404  'left-padd@*' is not in this registry.", "left-padd@*", ""),
        ("npm error notarget No matching version found for left-pad@9.9.9.", "left-pad@9.9.9", ""),
        ("ERROR: No matching distribution found for numpyy==1", "numpyy==1", "numpyy==1"),
        ("error: externally-managed-environment\n" + 12 * "To install, see apt.\n", "PEP 668", "python3 -m venv"),
        ("Error: no licence\n" + 12 * "Licences are sold in shops.\n", "Error: no licence", ""),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash", "Lock"),
        ("  ╰─▶ Because numpyy was not found in the package registry and you require numpyy", "numpyy", "numpyy"),
        ("Reading state information...\nE: Unable to locate package curll", "curll", "apt-get update"),
        ("E: Version '9.9' for 'curl' was not found", "version 9.9 of curl", "version"),
        ("error: no matching package named `serdee` found", "serdee", ""),
        ("error: the lock file /a/Cargo.lock needs to be updated but --locked was passed", "Cargo.lock", "cargo"),
        ("/bin/sh: 1: gccc: not found", "gccc", "Install"),
        ("bash: line 1: gccc: command not found", "gccc", "Install"),
        ("W: Temporary failure resolving 'deb.debian.org'\nE: Unable to locate package x", "deb.debian.org", "network"),
        ("Traceback (most recent call last):\n  at x\nValueError: 1", "ValueError: 1", ""),
        ("VERSION is required", "VERSION is required", ""),
        ("", "", ""),
        ("".join(f"step {number}\n" for number in range(20)), "", ""),
        (PIP_HASH, "bottle==0.12.25", "d6f15f9d"),
        (PIP_CONFLICT, "werkzeug==2.0.0, and flask 3.0.3 depends on Werkzeug>=3.0.0", "one of the two"),
        (PIP_CONFIG, "pg_config", "-dev package"),
        (PIP_OTHER_PYTHON, "numpy==2.3.0 is not for the Python", "newer Python"),
        ("ERROR: Invalid requirement: 'x=1'\nHint: = is not a valid operator. Did you mean == ?", "'x=1'", "== ?"),
        ("ERROR: Cannot find command 'git' - do you have 'git' installed?", "`git`", "Install"),
        ("error: command 'gcc' failed: No such file or directory", "C compiler", "build-essential"),
        ("x.c:1:10: fatal error: Python.h: No such file or directory", "Python.h", "-dev"),
        ("cat: /run/secrets/pip_token: No such file or directory", "secret pip_token", "`secrets:`"),
        ("/bin/sh: 1: source: not found", "bash", "SHELL"),
        ("/bin/sh: 1: Bad substitution", "bash", "SHELL"),
        ("Need to get 55.5 MB of archives.\nDo you want to continue? [Y/n] Abort.", "nobody answers", "-y"),
    ],
)
def test_the_reason_is_named(log: str, named: str, repair: str) -> None:
    found = read_failure(log, "web")
    assert named in found.reason
    assert bool(found.reason) is bool(named)
    assert repair in found.repair


def test_the_root_folder_needs_no_change_of_folder() -> None:
    assert read_failure(NPM_SYNC, ".").repair == "`npm install --package-lock-only`"


def test_usage_and_advertising_are_not_shown() -> None:
    assert [line[:20] for line in shown_lines(NPM_SYNC)] == [
        "npm error code EUSAG",
        "npm error `npm ci` c",
        "npm error Missing: l",
    ]
