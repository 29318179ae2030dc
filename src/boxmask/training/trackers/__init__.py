"""Other programs that show the log of a training: TensorBoard, MLflow, Weights & Biases."""
