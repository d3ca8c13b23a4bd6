"""The place of a declaration as a part of a sentence; nothing is said of one that no file has."""

from layerstack.project.compose_source import Declaration


def in_brackets(declared: Declaration | None) -> str:
    """` (docker-compose.yml:12)`, "" for none."""
    return f" ({declared.place})" if declared else ""


def place_or(declared: Declaration | None, otherwise: str) -> str:
    """`docker-compose.yml:12`, else the other words."""
    return declared.place if declared else otherwise
