"""What the numbers depend on: the machine and the versions of what was measured."""

import os
import platform

from layerstack.engine import engine


def read_machine_facts() -> dict[str, str]:
    """Name → value, for people. Raises EngineError when no engine answers."""
    facts = engine.read_facts()
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "Docker Engine": str(facts.server_version),
        "Buildx": str(facts.buildx_version),
        "Compose": str(facts.compose_version),
    }


def load_average() -> float:
    """Processes that wanted to run during the last minute."""
    return round(os.getloadavg()[0], 2)
