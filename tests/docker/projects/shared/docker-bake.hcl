variable "SYSTEM_IMAGE" {
  default = "layerstack-test/shell:1"
}
variable "TEST_TAG" {
  default = "latest"
}
group "default" {
  targets = ["low", "high", "app"]
}
target "low" {
  context = "low"
  args    = { SYSTEM_IMAGE = SYSTEM_IMAGE }
  tags    = ["layerstack-test/low:${TEST_TAG}"]
}
target "high" {
  context  = "high"
  contexts = { low = "target:low" }
  tags     = ["layerstack-test/high:${TEST_TAG}"]
}
target "app" {
  contexts = { high = "target:high" }
}
