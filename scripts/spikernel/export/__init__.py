"""The way out to devices: int8, C99, ONNX, NIR, and a model card, all from one `Program`."""
