"""Files that hold the weights of a model, known by their endings."""

ENDINGS = (
    *(".bin", ".caffemodel", ".ckpt", ".gguf", ".h5", ".npz", ".onnx", ".pb", ".pkl", ".pt", ".pth"),
    *(".safetensors", ".task", ".tflite"),
)
