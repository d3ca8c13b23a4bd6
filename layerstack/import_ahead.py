"""Modules that a task needs later, loaded while it waits for another program: `requests` takes 0.1 s, `rich` 0.05 s."""

from importlib import import_module

from layerstack.wait import beside

TABLES = ("rich.console", "rich.table", "rich.text")
ANSWERS = ("requests", *TABLES)
ENGINE = ("docker", *TABLES)


def import_ahead(names: tuple[str, ...]) -> None:
    """Import them in a thread, in this order. A module that cannot be loaded is reported where it is used."""
    beside(lambda: [import_module(name) for name in names])
