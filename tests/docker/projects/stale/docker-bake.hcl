variable "SYSTEM_IMAGE" {
  default = "node:18-alpine"
}
variable "TEST_TAG" {
  default = "latest"
}
target "base" {
  context = "base"
  args    = { SYSTEM_IMAGE = SYSTEM_IMAGE, TEST_TAG = TEST_TAG }
  tags    = ["layerstack-test/stale-base:${TEST_TAG}"]
  output  = ["type=docker"]
}
target "web" {
  contexts = { base = "target:base" }
  output   = ["type=docker"]
}
target "api" {
  contexts = { base = "target:base" }
  output   = ["type=docker"]
}
