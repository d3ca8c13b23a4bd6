"""What the tools of a RUN step wrote, read for the one line that says why."""

import time

import pytest

from layerstack.build.tool_failure import read_failure, shown_lines
from layerstack.build.vertex import KEPT_LOG_BYTES

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


NPM_JSON = """npm error code EJSONPARSE
npm error JSON.parse Invalid package.json: JSONParseError: Unexpected string in JSON at position 86 while parsing near "x"
npm error JSON.parse Failed to parse JSON data.
npm error JSON.parse Note: package.json must be actual JSON, not just JavaScript.
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
PIP_OTHER_PYTHON = """ERROR: Ignored the following versions that require a different python version: 2.2.0 Requires-Python <3; 2.3.0 Requires-Python >=3.11
ERROR: Could not find a version that satisfies the requirement numpy==2.3.0 (from versions: 1.26.4)
ERROR: No matching distribution found for numpy==2.3.0
"""  # noqa: E501

PIP_NO_VERSION = """ERROR: Ignored the following versions that require a different python version: 2.3.0 Requires-Python >=3.11
ERROR: Could not find a version that satisfies the requirement numpy==99.0 (from versions: 1.26.4, 2.2.6)
ERROR: No matching distribution found for numpy==99.0
"""  # noqa: E501
PIP_OFFLINE = """WARNING: Retrying (Retry(total=0)) after connection broken by 'NameResolutionError("HTTPSConnection(host='pypi.org', port=443): Failed to resolve 'pypi.org' ([Errno -3] Temporary failure in name resolution)")': /simple/x/
ERROR: Could not find a version that satisfies the requirement x==2 (from versions: none)
ERROR: No matching distribution found for x==2
"""  # noqa: E501
PIP_RETRIED = PIP_OFFLINE.splitlines()[0] + "\nCollecting x==2\n" + "ERROR: No matching distribution found for y==3\n"
PIP_PACKAGE_FAILS = """  × Getting requirements to build wheel did not run successfully.
  │ exit code: 1
  ╰─> [2 lines of output]
        File "<string>", line 3, in <module>
      RuntimeError: libfoo is needed
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: metadata-generation-failed

× Encountered error while generating package metadata.
╰─> See above for output.

note: This is an issue with the package mentioned above, not pip.
hint: See above for details.
"""
PIP_NO_COMPILER = """      error: [Errno 2] No such file or directory: 'gcc'
      [end of output]
  ERROR: Failed building wheel for ext
Failed to build ext
ERROR: Could not build wheels for ext, which is required to install pyproject.toml-based projects
"""
NPM_SECOND_SCRIPT = """
> app@1.0.0 prebuild
> node -e 1


> app@1.0.0 build
> tsc -p .

sh: tsc: not found
"""
NPM_404 = """npm error code E404
npm error 404 Not Found - GET https://registry.example/nosuch
npm error 404
npm error 404  The requested resource 'nosuch@1.0.0' could not be found or you do not have permission to access it.
npm error 404
npm error 404 Note that you can also install from a
npm error 404 tarball, folder, http url, or git url.
"""
CMAKE = """-- The C compiler identification is GNU 12.2.0
CMake Error at /usr/share/cmake/Modules/FindPackageHandleStandardArgs.cmake:230 (message):
  Could NOT find CURL (missing: CURL_LIBRARY CURL_INCLUDE_DIR)
Call Stack (most recent call first):
  CMakeLists.txt:4 (find_package)


-- Configuring incomplete, errors occurred!
See also "/app/build/CMakeFiles/CMakeOutput.log".
"""
GRADLE = """> Task :compileJava FAILED

FAILURE: Build failed with an exception.

* What went wrong:
Execution failed for task ':compileJava'.
> Could not resolve com.google.guava:guava:99.0-jre.

* Try:
> Run with --stacktrace option to get the stack trace.

BUILD FAILED in 3s
"""
MAVEN = """[INFO] BUILD FAILURE
\x1b[1;31m[ERROR]\x1b[m Failed to execute goal on project a: Could not resolve dependencies for project g:a:jar:1 -> [Help 1]
[ERROR]
[ERROR] Re-run Maven using the -X switch to enable full debug logging.
[ERROR] [Help 1] http://maven.example/DependencyResolutionException
"""  # noqa: E501
# A program that a script does without, and the error that ended it.
PROBED = """./configure.sh: 3: git: not found
src/main.c:4:1: error: unknown type name
make: *** [Makefile:2: all] Error 1
"""


@pytest.mark.parametrize(
    ("log", "named", "repair"),
    [
        (NPM_JSON, "package.json is no JSON: Unexpected string", "node -p"),
        ("SyntaxError: Cannot use import statement outside a module", "CommonJS", '"type": "module"'),
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
        (PIP_OTHER_PYTHON, "numpy==2.3.0 is not for the Python", "another Python"),
        ("ERROR: Invalid requirement: 'x=1'\nHint: = is not a valid operator. Did you mean == ?", "'x=1'", "== ?"),
        ("ERROR: Cannot find command 'git' - do you have 'git' installed?", "`git`", "Install"),
        ("error: command 'gcc' failed: No such file or directory", "C compiler", "build-essential"),
        ("x.c:1:10: fatal error: Python.h: No such file or directory", "Python.h", "-dev"),
        ("cat: /run/secrets/pip_token: No such file or directory", "secret pip_token", "`secrets:`"),
        ("/bin/sh: 1: source: not found", "bash", "SHELL"),
        ("/bin/sh: 1: Bad substitution", "bash", "SHELL"),
        (PIP_NO_VERSION, "pip finds no numpy==99.0", "version"),
        (PIP_OFFLINE, "cannot reach pypi.org", "network"),
        (PIP_RETRIED, "pip finds no y==3", "version"),
        (PIP_PACKAGE_FAILS, "RuntimeError: libfoo is needed", ""),
        (PIP_NO_COMPILER, "C compiler", "build-essential"),
        (NPM_SECOND_SCRIPT, "the script `build` needs `tsc`", "npm install -D tsc"),
        (NPM_404, "nosuch@1.0.0", ""),
        ("npm error notarget No matching version found for @types/a.b@9.0.0.", "@types/a.b@9.0.0", ""),
        ("YN0028: │ The lockfile would have been modified by this install, which is forbidden.", "yarn.lock", "yarn"),
        (
            "error: cannot update the lock file /a/Cargo.lock because --locked was passed to prevent this",
            "Cargo.lock",
            "cargo update --workspace",
        ),
        ("The gemspecs changed, but the lockfile can't be updated because frozen mode is set", "Gemfile.lock", "lock"),
        ('- Required package "twig/twig" is not present in the lock file.', "twig/twig", "composer update twig/twig"),
        (CMAKE, "CMake finds no CURL", "-dev package"),
        (GRADLE, "Could not resolve com.google.guava", ""),
        (MAVEN, "Could not resolve dependencies for project g:a:jar:1", ""),
        (PROBED, "src/main.c:4:1", "Correct"),
        ("cp x y\ncp: cannot stat 'x': No such file\nmake: *** [Makefile:2: all] Error 1", "cp: cannot stat 'x'", ""),
        ("frob x\nmake: frob: No such file or directory\nmake: *** [Makefile:2: all] Error 127", "`frob`", "Install"),
        (
            "WARNING: fetching https://dl.example/main: temporary error (try again later)\n  git (no such package):",
            "cannot reach dl.example",
            "network",
        ),
        ("wget: bad address 'example.com'", "cannot reach example.com", "network"),
        ("E: Failed to fetch http://deb.example/x.deb  404  Not Found\nE: Unable to fetch", "x.deb", "apt-get update"),
        (
            "Cannot find module './b'\nnpm error Lifecycle script `test` failed with error:\nnpm error code 1\n"
            "npm error command failed\nnpm error command sh -c jest",
            "Cannot find module './b'",
            "",
        ),
        ("/bin/sh: apt-get: not found", "another distribution", "apk"),
        ('✘ [ERROR] Could not resolve "lodash.merge"', "lodash.merge", ""),
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


@pytest.mark.parametrize(("place", "is_own"), [("src/a.ts(3,5)", True), ("node_modules/a/b.d.ts(3,5)", False)])
def test_nobody_is_told_to_correct_a_file_of_a_package(place: str, is_own: bool) -> None:
    found = read_failure(f"{place}: error TS2322: no", "web")
    assert place in found.reason
    assert bool(found.repair) is is_own


@pytest.mark.parametrize("part", ["x", "/a.b", "error: ", "> a@1 b\n> c\n"])
def test_a_long_output_is_read_at_once(part: str) -> None:
    started = time.process_time()
    read_failure(part * (KEPT_LOG_BYTES // len(part)), "web")
    assert time.process_time() - started < 5
