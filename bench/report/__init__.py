"""A stored run as text, charts and HTML: sees the model and what samples were reduced to, and nothing that measures."""
