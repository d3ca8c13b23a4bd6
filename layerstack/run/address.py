"""Where a person reaches a service: an address to click on where HTTP is spoken, else a scheme or none."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from layerstack.project.addresses import DEFAULT_PORTS
from layerstack.project.project import Project
from layerstack.project.service import Port, Service

# What listens on these ports by convention is not asked: databases answer HTTP with a complaint, or wait for more.
SCHEMES = {port: scheme for scheme, port in reversed(DEFAULT_PORTS.items()) if scheme != "http"}
ANSWER_SECONDS = 0.5


def addresses(project: Project) -> dict[str, str]:
    """Service → `http://…`, `mongodb://…`, or `host:port` where nobody knows what is spoken there."""
    published = {name: service for name, service in project.services.items() if service.ports}
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(published, pool.map(_address, published.values()), strict=True))


def _address(service: Service) -> str:
    port = service.ports[0]
    if any("http" in check for check in service.settings.verify) and port.target not in SCHEMES:
        return f"http://{port.address}"
    scheme = SCHEMES.get(port.target) or ("http" if _speaks_http(port) else "")
    return f"{scheme}://{port.address}" if scheme else port.address


def _speaks_http(port: Port) -> bool:
    """Whether something answers with a status, whichever it is."""
    host, _, number = port.address.rpartition(":")
    connection = HTTPConnection(host.strip("[]"), int(number), timeout=ANSWER_SECONDS)
    try:
        connection.request("HEAD", "/")
        return bool(connection.getresponse().status)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
