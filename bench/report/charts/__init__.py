"""Charts of a run, one kind a file; `draw` decides which are drawn. Importing this package loads no matplotlib."""
