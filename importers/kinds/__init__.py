"""One module per kind of data: its canonical columns, its checks and how it is loaded."""
