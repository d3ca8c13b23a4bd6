variable "SYSTEM_IMAGE" {
  default = "node:18-alpine"
}
variable "TEST_TAG" {
  default = "latest"
}
group "default" {
  targets = ["base", "web", "late"]
}
target "base" {
  context = "base"
  network = "none"
  args    = { SYSTEM_IMAGE = SYSTEM_IMAGE }
  tags    = ["layerstack-test/base:${TEST_TAG}"]
  output  = ["type=docker"]
}
target "web" {
  contexts = { base = "target:base" }
  output   = ["type=docker"]
}
target "late" {
  contexts = { base = "target:base" }
  output   = ["type=docker"]
}
