"""Image names as Docker reads them: their tags, and when two names are equal."""

from layerstack.dockerfile.references import familiar

LATEST = ":latest"


def has_tag(reference: str) -> bool:
    """Whether the name has a tag or digest; the colon of a registry's port is neither."""
    return ":" in reference.rpartition("/")[2] or "@" in reference


def full_name(reference: str) -> str:
    """The name with its tag and without Docker Hub's address: equal for equal images."""
    name = familiar(reference)
    return name if has_tag(name) else name + LATEST


def repository_of(reference: str) -> str:
    """The name without tag and digest."""
    name = familiar(reference).partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def is_same(one: str, other: str) -> bool:
    return full_name(one) == full_name(other)
