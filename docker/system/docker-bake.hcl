# Stand-ins for the system images, built from Debian, PyPI and npm packages where no container registry can be reached.
# `invoke setup` makes the Debian roots (stand-in/debian:SUITE), builds what is missing and remembers the choice.
# A target is named after the variable it stands in for: node-image for NODE_IMAGE. By hand, from the project's root:
#   docker buildx bake --file docker/system/docker-bake.hcl --allow=fs.read=/usr/local/share/ca-certificates

variable "HOST_CA" {
  default     = "/usr/local/share/ca-certificates"
  description = "Folder of certificates (*.crt) that this machine trusts beyond Debian's own."
}

function "stand_in" {
  params = [official]
  result = {
    "org.opencontainers.image.title"       = "stand-in for ${official}"
    "org.opencontainers.image.description" = "Built on this machine from packages because no container registry answered; not the official image."
    "layerstack.stand-in-for"              = official
  }
}

group "default" {
  targets = ["node-image", "python-image", "mongo-image", "mongo-express-image"]
}

target "debian" {
  name       = "debian-${suite}"
  matrix     = { suite = ["bookworm", "bullseye"] }
  context    = "docker/system/debian"
  contexts = {
    debian-root = "docker-image://stand-in/debian:${suite}"
    host-ca     = HOST_CA
  }
  output = ["type=cacheonly"]
}

target "node-image" {
  context = "docker/system/node"
  contexts = {
    debian-bookworm = "target:debian-bookworm"
    python-image    = "target:python-image"
  }
  labels = stand_in("node:18-alpine")
  tags   = ["stand-in/node:18-bookworm"]
}

target "python-image" {
  context  = "docker/system/python"
  contexts = { debian-bullseye = "target:debian-bullseye" }
  labels   = stand_in("python:3.9-slim-bullseye")
  tags     = ["stand-in/python:3.9-bullseye"]
}

# Newer runtimes, for whoever chooses them with NODE_IMAGE and PYTHON_IMAGE; `setup` does not build them.
group "newer" {
  targets = ["node-22-image", "python-3-11-image"]
}

target "node-22-image" {
  inherits   = ["node-image"]
  dockerfile = "22.Dockerfile"
  labels     = stand_in("node:22-bookworm-slim")
  tags       = ["stand-in/node:22-bookworm"]
}

target "python-3-11-image" {
  context    = "docker/system/python"
  dockerfile = "3.11.Dockerfile"
  contexts   = { debian-bookworm = "target:debian-bookworm" }
  labels     = stand_in("python:3.11-slim-bookworm")
  tags       = ["stand-in/python:3.11-bookworm"]
}

target "mongo-image" {
  context = "docker/system/mongo"
  contexts = {
    node-image   = "target:node-image"
    python-image = "target:python-image"
  }
  labels = stand_in("mongo:7.0")
  tags   = ["stand-in/mongo:6.0-bookworm"]
}

target "mongo-express-image" {
  context  = "docker/system/mongo-express"
  contexts = { node-image = "target:node-image" }
  labels   = stand_in("mongo-express:1")
  tags     = ["stand-in/mongo-express:1-bookworm"]
}
