"""What doctor looks at in the project: its files and its ports."""

from collections.abc import Iterator
from typing import Any

from layerstack import ports
from layerstack.finding import Finding, error, ok, warning
from layerstack.project import Project


def check_env_file(project: Project) -> Iterator[Finding]:
    """Are the project's variables written down?"""
    example, own = project.root / ".env.example", project.root / ".env"
    if example.exists() and not own.exists():
        yield warning(".env", "there is no .env: the defaults of the Compose file count", "invoke setup")
    elif own.exists():
        yield ok(".env", "is there")


def check_ports(project: Project, client: Any | None) -> Iterator[Finding]:
    """Every port of the project: free, held by the project itself, or by somebody else."""
    for service in project.services.values():
        for port in service.ports:
            holder = ports.find_holder(client, port)
            check = f"port {port.published}"
            if holder is None:
                yield ok(check, f"free for {service.name}")
            elif holder.project == project.name:
                yield ok(check, f"held by {service.name} of this project")
            else:
                free = f"{holder.remedy}, or " if holder.remedy else ""
                remedy = f"{free}choose another port: {ports.source_of(project, service, port)}"
                yield error(check, f"{service.name} needs it, but {holder.words} holds it", remedy)
