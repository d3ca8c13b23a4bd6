"""The address of a service for people: a URL where it speaks HTTP, else with another scheme or none."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from layerstack.engine.place import EnginePlace, bracketed, find_place
from layerstack.project.addresses import DEFAULT_PORTS
from layerstack.project.project import Project
from layerstack.project.service import Service

# What listens on these ports by convention is not asked: databases answer HTTP with a complaint, or wait for more.
# Reversed, so that the first of several schemes with one port counts (`mysql`, not `mariadb`).
SCHEMES = {port: scheme for scheme, port in reversed(DEFAULT_PORTS.items()) if scheme != "http"}
ANSWER_SECONDS = 0.5


def addresses(project: Project) -> dict[str, str]:
    """Service → `http://…`, `mongodb://…`, or `host:port` where nobody knows what is spoken there.

    None for a port that this machine does not reach: `tunnel` has the way to those.
    """
    published = {name: service for name, service in project.services.items() if service.ports}
    place = find_place() if published else EnginePlace()
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda service: _address(service, place), published.values())
        return {name: address for name, address in zip(published, found, strict=True) if address}


def tunnel(project: Project) -> str:
    """The command that forwards ports which only the engine's machine reaches; "" for none."""
    place = find_place()
    ports = [port for service in project.services.values() for port in service.ports if not place.address(port)]
    ways = [f"-L {port.published}:{bracketed(port.host_ip)}:{port.published}" for port in ports]
    return " ".join(("ssh -N", *ways, place.login)) if ways else ""


def _address(service: Service, engine_place: EnginePlace) -> str:
    port = service.ports[0]
    address = engine_place.address(port)
    if not address:
        return ""
    # A declared HTTP check is enough: the service may still be starting and not answer yet.
    if any("http" in check for check in service.settings.verify) and port.target not in SCHEMES:
        return f"http://{address}"
    scheme = SCHEMES.get(port.target) or ("http" if _speaks_http(address) else "")
    return f"{scheme}://{address}" if scheme else address


def _speaks_http(address: str) -> bool:
    """Whether something responds with any HTTP status."""
    host, _, number = address.rpartition(":")
    connection = HTTPConnection(host.strip("[]"), int(number), timeout=ANSWER_SECONDS)
    try:
        connection.request("HEAD", "/")
        return bool(connection.getresponse().status)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
