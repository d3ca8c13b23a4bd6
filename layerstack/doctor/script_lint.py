"""Scripts with Windows line ends that a build copies into an image."""

from collections.abc import Iterator
from contextlib import suppress

from layerstack.errors import UsageError
from layerstack.finding import Finding, error, or_ok, warning
from layerstack.project.project import Project
from layerstack.run.cause import end_returns, keep_ends
from layerstack.run.script_file import find_scripts

CHECK = "windows-line-ends"


@or_ok(CHECK, "no script of an image has Windows line ends")
def check_scripts(project: Project) -> Iterator[Finding]:
    """An error for a script that a container starts with, a warning for any other that a build reads."""
    found: dict[str, Finding] = {}
    for image in project.images.values():
        users = [one.definition for one in project.services.values() if project.image_of(one) is image]
        # A build says what is wrong with a Dockerfile or a context that cannot be read.
        with suppress(UsageError, OSError):
            for path, is_start in find_scripts(project.root, image, users):
                detail = f"{path} has Windows line ends: the kernel looks for an interpreter whose name ends with `\\r`"
                report = error if is_start else warning
                remedy = f"`{end_returns([path])}`, and {keep_ends([path])}"
                found.setdefault(path, report(CHECK, detail, remedy, image.name, path))
    yield from found.values()
