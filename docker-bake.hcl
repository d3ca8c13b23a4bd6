# Which images exist, what each is built on, and under which tag.
# `docker buildx bake` merges this file with docker-compose.yml, which declares the services' own build contexts.

# System images: rarely change. An environment variable of the same name overrides one.
variable "NODE_IMAGE" {
  default = "node:18-alpine"
}
variable "PYTHON_IMAGE" {
  default = "python:3.9-slim-bullseye"
}
variable "CUDA_RUNTIME_IMAGE" {
  default = "nvidia/cuda:12.1.1-runtime-ubuntu20.04"
}
variable "CUDA_DEVEL_IMAGE" {
  default = "nvidia/cuda:12.1.1-devel-ubuntu20.04"
}
# GPU code for V100, T4 and 20xx, A100, 30xx, 40xx and L4, H100; each one costs minutes and megabytes.
variable "TORCH_CUDA_ARCH_LIST" {
  default = "7.0;7.5;8.0;8.6;8.9;9.0+PTX"
}
# Compilers at a time, 2 GB of memory each.
variable "MAX_JOBS" {
  default = "4"
}
variable "MONGO_IMAGE" {
  default = "mongo:7.0"
}
variable "MONGO_EXPRESS_IMAGE" {
  default = "mongo-express:1"
}

# Of the images of services, so that worktrees do not take them from each other. Bases are shared.
variable "COMPOSE_PROJECT_NAME" {
  default = "snowboarding"
}

# gpu or cpu: which base-python-pose the pose service is built on.
variable "DEVICE" {
  default = "gpu"
}

group "default" {
  targets = ["bases", "services"]
}
group "bases" {
  targets = ["base-node", "base-python", pose_base()]
}
group "services" {
  targets = ["pose-service", "backend-api", "frontend"]
}
group "tests" {
  targets = ["pose-service-test", "backend-api-test", "frontend-test", "frontend-static", "browser"]
}

function "pose_base" {
  params = []
  result = DEVICE == "cpu" ? "base-python-pose-cpu" : "base-python-pose"
}
function "pose_tag" {
  params = [name]
  result = DEVICE == "cpu" ? "${name}:cpu" : "${name}:latest"
}

# Base images: language and heavy dependencies. Minutes to hours, then cached.
target "base-node" {
  context = "docker/base-node"
  args    = { NODE_IMAGE = NODE_IMAGE }
  tags    = ["base-node:latest"]
  output  = ["type=docker"]
}
target "base-python" {
  context = "docker/base-python"
  args    = { PYTHON_IMAGE = PYTHON_IMAGE }
  tags    = ["base-python:latest"]
  output  = ["type=docker"]
}
target "base-python-pose" {
  context = "docker/base-python-pose"
  target  = "gpu"
  args = {
    CUDA_RUNTIME_IMAGE   = CUDA_RUNTIME_IMAGE
    CUDA_DEVEL_IMAGE     = CUDA_DEVEL_IMAGE
    TORCH_CUDA_ARCH_LIST = TORCH_CUDA_ARCH_LIST
    MAX_JOBS             = MAX_JOBS
  }
  contexts = {
    requirements = "requirements"
    base-node    = "target:base-node"
  }
  tags   = ["base-python-pose:latest"]
  output = ["type=docker"]
}
target "base-python-pose-cpu" {
  context = "docker/base-python-pose"
  target  = "cpu"
  contexts = {
    requirements = "requirements"
    base-python  = "target:base-python"
    base-node    = "target:base-node"
  }
  tags   = ["base-python-pose:cpu"]
  output = ["type=docker"]
}

# Service images: your code, seconds. Context, target and tag come from docker-compose.yml.
target "pose-service" {
  contexts = { base-python-pose = "target:${pose_base()}" }
  tags     = [pose_tag("${COMPOSE_PROJECT_NAME}-pose-service")]
  output   = ["type=docker"]
}
target "backend-api" {
  contexts = { base-node = "target:base-node" }
  output   = ["type=docker"]
}
target "frontend" {
  contexts = { base-node = "target:base-node" }
  output   = ["type=docker"]
}

# The same images with the tools that test them from inside.
target "pose-service-test" {
  inherits = ["pose-service"]
  target   = "test"
  tags     = [pose_tag("${COMPOSE_PROJECT_NAME}-pose-service-test")]
}
target "backend-api-test" {
  inherits = ["backend-api"]
  target   = "test"
  tags     = ["${COMPOSE_PROJECT_NAME}-backend-api-test:latest"]
}
target "frontend-test" {
  inherits = ["frontend"]
  target   = "test"
  tags     = ["${COMPOSE_PROJECT_NAME}-frontend-test:latest"]
}
# The built page behind a small server: what is deployed; docker-compose.static.yml runs it.
target "frontend-static" {
  inherits = ["frontend"]
  target   = "static"
  tags     = ["${COMPOSE_PROJECT_NAME}-frontend-static:latest"]
}
target "browser" {
  context  = "docker/browser"
  contexts = { base-node = "target:base-node" }
  tags     = ["${COMPOSE_PROJECT_NAME}-browser:latest"]
  output   = ["type=docker"]
}
