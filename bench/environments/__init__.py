"""What runs a load beside the database: other versions of SQLAlchemy, of drivers and of Python, other revisions.

An environment is a virtual environment that is built once and kept in the user's cache folder; a revision is a tree of
the user's repository that is there for as long as a run needs it. Nothing is downloaded but packages, by pip.
"""

from bench.environments.prepared import Prepared, check, prepare
from bench.environments.store import EnvironmentStore

__all__ = ["EnvironmentStore", "Prepared", "check", "prepare"]
