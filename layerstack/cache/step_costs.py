"""The cost of a record of the build cache: seconds of its step in the history of all builds."""

import re
from statistics import median

from layerstack.build import history
from layerstack.build.step_text import instruction_of, one_line
from layerstack.engine.cache_records import CacheRecord, without_step

# The history keeps only the beginning of a long instruction.
COMPARED_CHARACTERS = 50
# Files that the next build sends again.
FREE_KINDS = ("source.local",)
# `mount / from exec /bin/bash -euo pipefail -c npm ci`
_RUN = re.compile(r"^mount / from exec (?:/\S+ (?:-\w+ |pipefail )*?-\w*c )?(?P<command>.*)$")


class StepCosts:
    """Reads the histories of all projects of this user once; a step costs the median of its runs."""

    def __init__(self) -> None:
        runs: dict[str, list[float]] = {}
        for build in history.read_all_builds():
            for step in (step for image in build.images for step in image.executed):
                runs.setdefault(_key(step.text if isinstance(step.text, str) else step.step), []).append(step.seconds)
        self._seconds = {key: median(found) for key, found in runs.items()}

    def of(self, record: CacheRecord) -> float | None:
        """Seconds to rebuild it; None where no recorded build ran its step."""
        if record.kind in FREE_KINDS:
            return 0.0
        if record.kind != "regular":
            return None
        return self._seconds.get(_key(f"1/1 {instruction_in(record)}"))


def instruction_in(record: CacheRecord) -> str:
    """The instruction in its description, such as `RUN npm ci` or `COPY . .`."""
    text = one_line(record.description)
    run = _RUN.match(text)
    return f"RUN {run['command']}" if run else without_step(text)


def _key(step: str) -> str:
    return instruction_of(step)[:COMPARED_CHARACTERS]
