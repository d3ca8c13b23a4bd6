#!/usr/bin/env bash
# What the tasks replaced, kept to be measured against: three builds, one Compose build, up, and a loop of curl.
# The same Dockerfiles, on the machine's remembered choices. `build-and-start.sh [bases] [services] [start] [wait]`
# runs single parts; without words it runs all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

export DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1

# A variable of the environment, else what .env says, else the second argument: the order of Compose.
setting() {
    local value=${!1:-}
    if [[ -z $value && -f .env ]]; then
        value=$(sed -n "s/^$1=//p" .env | tail -n 1)
    fi
    echo "${value:-${2:-}}"
}

argument() {
    local value
    value=$(setting "$1")
    if [[ -n $value ]]; then
        echo "--build-arg=$1=$value"
    fi
}

bases() {
    local -a pose=(--target gpu --tag base-python-pose:latest)
    if [[ $(setting DEVICE gpu) == cpu ]]; then
        pose=(--target cpu --tag base-python-pose:cpu)
    fi
    mapfile -t node < <(argument NODE_IMAGE)
    mapfile -t python < <(argument PYTHON_IMAGE)
    mapfile -t cuda < <(argument CUDA_RUNTIME_IMAGE; argument CUDA_DEVEL_IMAGE)
    docker build "${node[@]}" --tag base-node:latest ./docker/base-node
    docker build "${python[@]}" --tag base-python:latest ./docker/base-python
    docker build "${cuda[@]}" --build-context requirements=./requirements "${pose[@]}" ./docker/base-python-pose
}

services() {
    docker compose build
}

start() {
    docker compose up --detach
}

wait_for() {
    local url=$1 attempt
    for attempt in {1..90}; do
        if curl --fail --silent --output /dev/null --max-time 4 "$url"; then
            echo "$url answers"
            return
        fi
        sleep 2
    done
    echo "$url does not answer after $attempt attempts" >&2
    return 1
}

wait() {
    wait_for "http://127.0.0.1:$(setting POSE_PORT 5000)/health"
    wait_for "http://127.0.0.1:$(setting API_PORT 3001)/health"
    wait_for "http://127.0.0.1:$(setting WEB_PORT 5173)/"
}

parts=("$@")
if ((${#parts[@]} == 0)); then
    parts=(bases services start wait)
fi
for part in "${parts[@]}"; do
    "$part"
done
