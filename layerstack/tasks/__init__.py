"""The tasks of layerstack as a collection of Invoke, for the `layerstack` command and for a tasks.py of your own.

    from layerstack import tasks

    namespace = tasks.namespace   # `invoke start`, `invoke why web`, …
    namespace.add_task(report)    # and a task of your own

`tasks.task` makes a task whose failures end with an exit code, as those here do.
"""

from invoke.collection import Collection

from layerstack.tasks import plain_invoke
from layerstack.tasks.build_tasks import build, build_bases, impact, time_rebuild, timeline, why
from layerstack.tasks.data_tasks import backup, restore
from layerstack.tasks.deploy_tasks import deploy
from layerstack.tasks.image_tasks import audit, cache, clean, images, share
from layerstack.tasks.machine_tasks import doctor, gpu, setup
from layerstack.tasks.run_tasks import dev, down, logs, restart, stacks, start, status, up, verify
from layerstack.tasks.task import task

# Each task imports the rooms that it uses in its body: `--list`, `--help` and completion load none of them.
EVERY_TASK = (
    *(setup, build_bases, build, up, verify, time_rebuild, start, down, restart, logs, status, stacks),
    *(images, cache, clean, doctor, gpu, why, impact, timeline, dev, audit, share, deploy, backup, restore),
)

plain_invoke.install()
namespace = Collection(*EVERY_TASK)

__all__ = ["audit", "backup", "build", "build_bases", "cache", "clean", "deploy", "dev", "doctor", "down", "gpu"]
__all__ += ["images", "impact", "logs", "namespace", "restart", "restore", "setup", "share", "stacks", "start"]
__all__ += ["status", "task", "time_rebuild", "timeline", "up", "verify", "why"]
