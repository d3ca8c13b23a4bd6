"""The facts of a usable engine for tests."""

from layerstack.engine.engine import EngineFacts

FACTS = EngineFacts(
    server_version="28.5.2+dfsg4",
    buildx_version="0.29.1+ds1",
    compose_version="2.40.3-3",
    data_root="/var/lib/docker",
    disk_free_bytes=50 * 10**9,
    storage_driver="overlay2",
    operating_system="Debian",
)
