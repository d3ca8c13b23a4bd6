"""Nox sessions inside the cached images of a project, with or without a GPU.

    import nox
    from layerstack import sessions

    @nox.session(python=False)
    def gpu_tests(session: nox.Session) -> None:
        sessions.run_gpu_tests(session, "trainer-test")

The image is one that bake or Compose builds; it is built first, cached below the tests.
"""

import logging

from layerstack.sessions.gpu_tests import run_gpu_tests
from layerstack.sessions.image import built, project_of, require_engine, run_in_image

# Nox shows what every library logs, down to each request to the engine.
for _talkative in ("docker", "urllib3"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)

__all__ = ["built", "project_of", "require_engine", "run_gpu_tests", "run_in_image"]
