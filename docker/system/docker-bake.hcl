# Stand-ins for the system images, built from Debian, PyPI and npm packages where no container registry can be reached.
# `invoke setup` makes the Debian roots, builds what is missing and remembers the choice. They are not the official images.

variable "DEBIAN_ROOT" {
  default     = "stand-in/debian"
  description = "Repository of the local images made by mmdebstrap, one tag a suite."
}

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
  matrix     = { suite = ["bookworm", "bullseye", "trixie"] }
  context    = "debian"
  contexts = {
    debian-root = "docker-image://${DEBIAN_ROOT}:${suite}"
    host-ca     = HOST_CA
  }
  output = ["type=cacheonly"]
}

target "node-image" {
  context = "node"
  contexts = {
    debian-bookworm = "target:debian-bookworm"
    python-image    = "target:python-image"
  }
  labels = stand_in("node:18-alpine")
  tags   = ["stand-in/node:18-bookworm"]
}

target "python-image" {
  context  = "python"
  contexts = { debian-bullseye = "target:debian-bullseye" }
  labels   = stand_in("python:3.9-slim-bullseye")
  tags     = ["stand-in/python:3.9-bullseye"]
}
