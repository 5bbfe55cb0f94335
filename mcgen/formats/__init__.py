"""Event files, one module per format."""
