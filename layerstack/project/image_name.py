"""Image names as Docker reads them: their registries and tags, and when two names are equal."""

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


def host_of(reference: str) -> str:
    """The registry that a reference names: `docker.io` unless its first part looks like a host."""
    first, slash, _rest = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def login_command(reference: str) -> str:
    """`docker login`, which alone means Docker Hub, at the registry of an image."""
    host = host_of(reference)
    return "docker login" if host == "docker.io" else f"docker login {host}"


def is_same(one: str, other: str) -> bool:
    return full_name(one) == full_name(other)
