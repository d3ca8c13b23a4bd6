"""The Python packages inside an image, read from their metadata without running its Python."""

import csv
import io
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.parser import HeaderParser
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from layerstack.audit.image_files import ImageFiles

# `opt/venv/lib/python3.9/site-packages`; dist-packages is the folder of Debian's own packages.
SITE_FOLDER = re.compile(r"^(.*/)?(site-packages|dist-packages)$")
# `opt/venv/lib/python3.9/site-packages`
PYTHON_OF_FOLDER = re.compile(r"python(3\.\d+)/(?:site|dist)-packages$")
# `opt/venv/lib/python3.9/site-packages/numpy-1.26.4.dist-info/METADATA`
METADATA = re.compile(r"^(?P<site>.+)/(?P<info>[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO))$")


@dataclass(frozen=True)
class Package:
    """One installed distribution; `files` are paths in the image, `editable_from` its source folder or ""."""

    name: str
    version: str
    requires: tuple[str, ...]
    files: tuple[str, ...]
    size_bytes: int
    editable_from: str = ""

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Environment:
    """One folder of packages and the Python it belongs to, such as 3.9; "" when its path does not tell."""

    folder: str
    python_version: str
    packages: Mapping[str, Package]


def find_environments(image: ImageFiles) -> tuple[Environment, ...]:
    """Every site-packages or dist-packages folder that holds a distribution, the largest first."""
    found: dict[str, dict[str, Package]] = {}
    sources = _editable_sources(image)
    for path in image.files:
        match = METADATA.match(path)
        if match and SITE_FOLDER.match(match["site"]):
            package = _read_package(image, match["site"], path, sources)
            found.setdefault(match["site"], {})[canonicalize_name(package.name)] = package
    environments = (Environment(site, _python_version(image, site), packages) for site, packages in found.items())
    return tuple(sorted(environments, key=lambda one: -sum(package.size_bytes for package in one.packages.values())))


def _read_package(image: ImageFiles, site: str, metadata: str, sources: Mapping[str, str]) -> Package:
    # The headers only: below them is the whole description of the package.
    head = HeaderParser().parsestr((image.read(metadata) or b"").decode("utf-8", errors="replace"))
    folder = metadata.rpartition("/")[0]
    files = tuple(_recorded(image, site, folder))
    name = str(head.get("Name") or folder.rpartition("/")[2].partition("-")[0])
    return Package(
        name=name,
        version=str(head.get("Version") or "?"),
        requires=tuple(str(line) for line in head.get_all("Requires-Dist") or ()),
        files=files,
        size_bytes=sum(image.files[path].size_bytes for path in files),
        editable_from=_editable_from(image, folder) or sources.get(canonicalize_name(name), ""),
    )


def _recorded(image: ImageFiles, site: str, folder: str) -> Iterator[str]:
    """The paths that RECORD lists and the image has."""
    text = (image.read(f"{folder}/RECORD") or b"").decode("utf-8", errors="replace")
    with suppress(csv.Error):  # a damaged file names what precedes the damage
        for row in csv.reader(io.StringIO(text)):
            path = posixpath.normpath(f"{site}/{row[0]}") if row else ""
            # A Dockerfile may have deleted some of them, for example tests.
            if path in image.files:
                yield path


def _editable_from(image: ImageFiles, folder: str) -> str:
    try:
        # PEP 610: pip records the origin of a package here, unless it is from an index.
        document = json.loads(image.read(f"{folder}/direct_url.json") or b"{}")
    except ValueError:
        return ""
    if not isinstance(document, dict) or not (document.get("dir_info") or {}).get("editable"):
        return ""
    return unquote(str(document.get("url", "")).removeprefix("file://"))


def _editable_sources(image: ImageFiles) -> dict[str, str]:
    """Name → source folder of what `setup.py develop` left behind."""
    links = [path for path in image.files if path.endswith(".egg-link")]
    return {
        canonicalize_name(path.rpartition("/")[2].removesuffix(".egg-link")): _first_line(image.read(path))
        for path in links
    }


def _first_line(content: bytes | None) -> str:
    lines = (content or b"").decode("utf-8", errors="replace").splitlines()
    return lines[0].strip() if lines else ""


def _python_version(image: ImageFiles, site: str) -> str:
    match = PYTHON_OF_FOLDER.search(site)
    if match:
        return match[1]
    # Debian's dist-packages serve whichever python3 the system has.
    link = image.files.get("usr/bin/python3")
    version = re.search(r"3\.\d+", link.target) if link else None
    return version[0] if version else ""
