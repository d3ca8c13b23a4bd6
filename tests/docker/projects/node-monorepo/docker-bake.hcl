# What every service is built on; bake builds it first.
target "layerstack-test-shop-node" {
  context = "docker/layerstack-test-shop-node"
  tags    = ["layerstack-test-shop-node:latest"]
  output  = ["type=docker"]
}
target "catalog" {
  contexts = { layerstack-test-shop-node = "target:layerstack-test-shop-node" }
}
target "gateway" {
  contexts = { layerstack-test-shop-node = "target:layerstack-test-shop-node" }
}
target "orders" {
  contexts = { layerstack-test-shop-node = "target:layerstack-test-shop-node" }
}
