"""What every HTML page is made of: tables, their rows and their cells, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table: its figure, its interval where it has one, `(179-188)`, where it leads, and its mark."""

    value: str
    interval: str = ""
    numeric: bool = True
    link: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table: the cell that names it, its colour as CSS, whether it is the best or wrong, its figures."""

    name: Cell
    cells: tuple[Cell, ...]
    colour: str = ""
    mark: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table. caption: read aloud, not shown. headers: title and whether its column is of numbers."""

    caption: str
    headers: tuple[tuple[str, bool], ...]
    rows: tuple[Row, ...]
