"""Datasets: the same rows every time for a recipe, a size and options, known without a database and bulk-loaded.

From the generator upwards: `splitmix`, `permutation` and `pools` draw; `counting` and `ownership` say who owns whom;
`columns` and `dataset` make any row; `blocks` streams them all; `plan` holds the mapped classes against the recipe, and
`route` follows a relationship from row to row; `graph` writes the graph that a load must return, and `reach` counts it.
"""

from bench.datasets.blocks import Block, blocks
from bench.datasets.dataset import Dataset
from bench.datasets.difference import first_difference
from bench.datasets.graph import fingerprint, graph_lines
from bench.datasets.key import dataset_key
from bench.datasets.plan import graph_plan, key_attributes
from bench.datasets.reach import full_shape
from bench.datasets.seeding import seed, seed_postgres, seed_sqlite
from bench.datasets.shape import shape

__all__ = [
    "Block",
    "Dataset",
    "blocks",
    "dataset_key",
    "fingerprint",
    "first_difference",
    "full_shape",
    "graph_lines",
    "graph_plan",
    "key_attributes",
    "seed",
    "seed_postgres",
    "seed_sqlite",
    "shape",
]
