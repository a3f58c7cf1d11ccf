"""What representations of images and text are measured by: zero-shot, retrieval, probe, caption."""
