"""Checks of an image's Python packages: missing or conflicting requirements, NumPy's ABI, editable installs."""

from collections.abc import Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from layerstack.audit.elf_file import holds
from layerstack.audit.image_files import ImageFiles
from layerstack.audit.python_packages import Environment, Package
from layerstack.finding import Finding, error, ok, warning
from layerstack.wording import listed

# NumPy's own headers put these names into every extension that uses its C API: the second since NumPy 2.
NUMPY_1_MARK = b"numpy.core._multiarray_umath"
NUMPY_2_MARK = b"numpy._core._multiarray_umath"
# Names of packages, with spaces between: declared by others, never imported, and therefore not installed.
LEFT_OUT_LABEL = "io.layerstack.left-out"
SHOWN = 6
# Docker's word for a processor → the kernel's.
MACHINES = {"": "x86_64", "amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}


def check_requirements(image: ImageFiles, environment: Environment) -> Iterator[Finding]:
    """As `pip check`: every applicable requirement is installed in a matching version, or left out by a label."""
    declared = str((image.config.get("Labels") or {}).get(LEFT_OUT_LABEL, ""))
    # A package that is installed in spite of the label still has to have a matching version.
    left_out = set(map(canonicalize_name, declared.split())) - environment.packages.keys()
    markers = _marker_environment(image, environment)
    every = environment.packages
    found = [problem for package in every.values() for problem in _problems(package, every, markers)]
    problems = [text for name, text in found if name not in left_out]
    if absent := sorted({name for name, _ in found if name in left_out}):
        yield ok("requirements", f"{environment.folder}: left out on purpose ({LEFT_OUT_LABEL}): {', '.join(absent)}")
    if problems:
        yield warning(
            "requirements",
            f"{environment.folder}: {listed(problems, SHOWN, '; ')}",
            f"Install what is missing, or name it in the image's label {LEFT_OUT_LABEL} when nothing imports it.",
        )


def check_numpy(image: ImageFiles, environment: Environment) -> Iterator[Finding]:
    """Extensions compiled against NumPy 1 do not load with NumPy 2."""
    numpy = environment.packages.get("numpy")
    # The version is `?` where the metadata names none.
    if numpy is None or not numpy.version.split(".")[0].isdigit() or int(numpy.version.split(".")[0]) < 2:
        return
    broken = sorted(
        package.label
        for package in environment.packages.values()
        if package is not numpy and any(_is_for_numpy_1(image, path) for path in package.files)
    )
    if broken:
        shown = listed(broken, SHOWN, "; ")
        yield error(
            "numpy-abi",
            f"{shown}: compiled against NumPy 1, and NumPy {numpy.version} is installed: they fail on import",
            "Pin numpy<2, or newer versions of these packages.",
        )


def check_editable(image: ImageFiles, environment: Environment) -> Iterator[Finding]:
    """Packages whose code lies elsewhere: a mount over that folder, or its absence, breaks them."""
    for package in environment.packages.values():
        if not package.editable_from:
            continue
        source = package.editable_from.strip("/")
        is_there = any(path.startswith(f"{source}/") for path in image.files)
        detail = f"{package.label} is installed editable from /{source}"
        if is_there:
            yield warning(
                "editable", f"{detail}: a mount over that folder hides it", "Install it without -e in the image."
            )
        else:
            yield error("editable", f"{detail}, which is not in the image", "Install it without -e in the image.")


def _problems(package: Package, every: Mapping[str, Package], markers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name of the missing or conflicting package, sentence)"""
    for text in package.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if not _applies(requirement, markers):
            continue
        name = canonicalize_name(requirement.name)
        found = every.get(name)
        if found is None:
            yield name, f"{package.name} needs {requirement.name}, which is not installed"
        elif not _meets(found.version, requirement):
            yield (
                name,
                f"{package.name} needs {requirement.name}{requirement.specifier}, and {found.version} is installed",
            )


def _applies(requirement: Requirement, markers: Mapping[str, str]) -> bool:
    try:
        # Judged for the image's Python: by default markers are evaluated for that of this machine.
        return requirement.marker is None or requirement.marker.evaluate(markers)
    except ValueError:
        # A marker that pip does not understand either.
        return False


def _meets(version: str, requirement: Requirement) -> bool:
    try:
        # As in pip, a pre-release that is installed counts.
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        # `?`, or a version from before PEP 440: nobody can compare it.
        return True


def _full_version(image: ImageFiles, version: str) -> str:
    """`3.11.9`; as new as can be where only `3.11` is known: what is for its first releases only is seldom needed."""
    variables = dict(str(one).partition("=")[::2] for one in image.config.get("Env") or ())
    # The official images of Python set it.
    given = variables.get("PYTHON_VERSION", "")
    return given if given.startswith(f"{version}.") else f"{version}.99"


def _marker_environment(image: ImageFiles, environment: Environment) -> Mapping[str, str]:
    version = environment.python_version or "3.9"
    full = _full_version(image, version)
    return {
        "python_version": version,
        "python_full_version": full,
        "implementation_version": full,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": MACHINES.get(image.architecture, image.architecture),
        "platform_release": "",
        "platform_version": "",
        # Requirements of extras do not apply: the metadata does not say which were asked for.
        "extra": "",
    }


def _is_for_numpy_1(image: ImageFiles, path: str) -> bool:
    file = image.files[path]
    if not (path.endswith(".so") or ".so." in file.name) or file.target:
        return False
    with file.open() as stream:
        # What is compiled against NumPy 2 has both names, and loads with either version.
        return holds(stream, NUMPY_1_MARK, NUMPY_2_MARK) == {NUMPY_1_MARK}
