"""Measures the time until new code responds: recreates one service of a rehearsal and sends requests."""

from __future__ import annotations

import time
from dataclasses import dataclass

from layerstack import command
from layerstack.engine import engine
from layerstack.engine.container import Container, read_all
from layerstack.errors import StartFailed
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.health import judge
from layerstack.run.startup import Silent
from layerstack.wait import wait_until

ANSWER_SECONDS = 120.0
# A request to a program that is still starting may hang; the next one asks anew.
ASK_SECONDS = 2.0
# The time until the response is measured, so that waiting must not add to it.
INTERVAL_SECONDS = 0.05


@dataclass
class ServedCopy:
    """A running rehearsal in which one service is recreated repeatedly."""

    project: Project
    service: str
    container_id: str

    @classmethod
    def start(cls, project: Project, service: str) -> ServedCopy:
        """Start the service and everything it depends on, healthy. Raises StartFailed."""
        stack.up(project, Silent(), (service,))
        return cls(project, service, _container(project, service).id)

    def seconds_until_answer(self) -> float:
        """Recreate the service from the new image of its tag; seconds until the new container responds.

        The request is the first HTTP check of `x-layerstack.verify`, else `/` of the first port, else the health check
        counts. Raises StartFailed when it dies or does not respond within ANSWER_SECONDS.
        """
        began, old = time.monotonic(), self.container_id
        # The dependencies run and are healthy, and Compose would still wait half a second for each of them.
        words = ("--progress", "quiet", "up", "--detach", "--no-build", "--no-deps", self.service)
        command.run(self.project.compose(*words), cwd=self.project.root, env=self.project.environment).require()
        new = _container(self.project, self.service)
        if new.id == old:
            raise StartFailed(f"{self.service} was not recreated: its image did not change.")
        self.container_id = new.id
        if not wait_until(self._answers, ANSWER_SECONDS, INTERVAL_SECONDS):
            raise StartFailed(f"{self.service} did not respond within {ANSWER_SECONDS:.0f} s after its rebuild.")
        return time.monotonic() - began

    def _answers(self) -> bool:
        url = self._url()
        if not url:
            return self._is_healthy()
        import requests

        try:
            # A 404 counts as well: the new code has responded.
            return requests.get(url, timeout=ASK_SECONDS).status_code < 500
        except requests.RequestException:
            # Raises where the container has died: no further request can succeed.
            self._is_healthy()
            return False

    def _url(self) -> str:
        service = self.project.services[self.service]
        checks = service.settings.verify
        path = next((str(check["http"]) for check in checks if "http" in check and "upload" not in check), None)
        if not service.ports or (checks and path is None):
            return ""
        return f"http://{service.ports[0].address}{path or '/'}"

    def _is_healthy(self) -> bool:
        service = self.project.services[self.service]
        verdict = judge(_container(self.project, self.service), service, is_one_shot=False)
        if verdict.phase == "failed":
            raise StartFailed(f"{self.service} {verdict.reason}", f"`docker compose -p {self.project.name} logs`")
        return verdict.phase == "ready"


def _container(project: Project, service: str) -> Container:
    found = read_all(engine.client(), project.name).get(service, ())
    if not found:
        raise StartFailed(f"{service} has no container in {project.name}.")
    return found[0]
