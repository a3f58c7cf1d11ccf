"""Tables that name images: columns, labels and groups, and the files that paths mean."""
