"""Search of images by words or by an image, and the sheet that shows what matches."""
