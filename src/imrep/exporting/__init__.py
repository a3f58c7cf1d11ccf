"""Models for production: one file from pixels to a vector or a class, for ONNX Runtime or torch."""
