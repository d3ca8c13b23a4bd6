variable "SYSTEM_IMAGE" {
  default = "node:18-alpine"
}
variable "TEST_TAG" {
  default = "latest"
}
group "default" {
  targets = ["low", "high", "app"]
}
target "low" {
  context = "low"
  network = "none"
  args    = { SYSTEM_IMAGE = SYSTEM_IMAGE }
  tags    = ["layerstack-test/low:${TEST_TAG}"]
  output  = ["type=docker"]
}
target "high" {
  context  = "high"
  network  = "none"
  contexts = { low = "target:low" }
  tags     = ["layerstack-test/high:${TEST_TAG}"]
  output   = ["type=docker"]
}
target "app" {
  contexts = {
    low  = "target:low"
    high = "target:high"
  }
  output = ["type=docker"]
}
