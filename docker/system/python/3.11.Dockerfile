# Stands in for python:3.11-slim-bookworm: Debian bookworm's own Python 3.11 and pip.
FROM debian-bookworm

RUN --mount=type=cache,id=layerstack-apt-lists-bookworm,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,id=layerstack-apt-bookworm,target=/var/cache/apt,sharing=locked \
    apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv python3-pip python-is-python3

CMD ["python3"]
