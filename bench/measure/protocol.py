"""The version of what parent and worker say to each other; both ends state theirs and refuse another."""

PROTOCOL = 1
