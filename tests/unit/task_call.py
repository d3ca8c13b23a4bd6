"""The tasks called as from a shell, in this process."""

from invoke import Collection, Program

import tasks


def invoke(words: str) -> int:
    """Run tasks and give the exit code."""
    try:
        Program(namespace=Collection.from_module(tasks)).run(["invoke", *words.split()])
    except SystemExit as end:
        return int(end.code or 0)
    return 0
