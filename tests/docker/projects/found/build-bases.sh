#!/bin/sh
# The bases of both services, the lower one first. These lines are what says that they are built here.
set -e
docker build -t layerstack-test-runtime layerstack-test-runtime
docker build --tag layerstack-test-web docker/layerstack-test-web
