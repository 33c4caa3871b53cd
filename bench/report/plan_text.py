"""Plans as trees, and what differs between the plans of two targets as a difference."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from bench.model.profile import Looked, PlanNode, StatementPlan
from bench.report.sql_text import one_line
from bench.report.units import bytes_text, counted

_LIST = re.compile(r"\{([^,{}]*)((?:,[^,{}]*){4,})\}")


def plans_text(looked: Looked, *, width: int) -> str:
    """Return the plan of each statement that a strategy sends."""
    return "\n".join(plan_tree(number, plan, width=width) for number, plan in enumerate(looked.plans, start=1))


def plan_tree(number: int, plan: StatementPlan, *, width: int) -> str:
    """Return one plan as a tree, each step with what the database says of running it."""
    head = f"{number}. {one_line(plan.sql, width - 4)}"
    return "\n".join([head, *(f"   {line}" for line in tree_text(plan, width=width - 3).splitlines())])


def tree_text(plan: StatementPlan, *, width: int) -> str:
    """Return a plan as a tree without its statement, or why there is none."""
    if plan.error:
        return f"Not explained: {plan.error}."
    tree = Tree(Text("; ".join(_totals(plan)) or "as planned"))
    for root in plan.roots:
        _grow(tree, root)
    console = Console(file=io.StringIO(), width=max(20, width), color_system=None, highlight=False)
    with console.capture() as drawn:
        console.print(tree)
    return "\n".join(line.rstrip() for line in drawn.get().splitlines())


def plan_difference(one: Looked, other: Looked, *, width: int, names: tuple[str, str] | None = None) -> str:
    """Return how the plans of the same strategy differ on two targets, `-` for the first; empty where they do not.

    names: what the two are called, their targets where none are given.

    What is compared is the steps and what they are done to. Statements are paired in the order in which they are sent:
    drivers are sent different texts of the same.
    """
    mine_is, its_is = names or (one.target, other.target)
    blocks = []
    for mine, its in zip_longest(one.plans, other.plans):
        if mine is None or its is None:
            blocks.append([f"{mine_is} has {counted(len(one.plans), 'plan')}, {its_is} {len(other.plans)}."])
            break
        changed = [
            line for line in difflib.ndiff(list(shape_lines(mine)), list(shape_lines(its))) if not line.startswith("?")
        ]
        if any(line.startswith(("-", "+")) for line in changed):
            blocks.append([one_line(mine.sql, width), *(f"  {line}"[:width] for line in changed)])
    if not blocks:
        return ""
    title = f"{one.strategy}: plans of {mine_is} (-) and {its_is} (+)"
    return "\n".join([title, *(line for block in blocks for line in block)])


def shape_lines(plan: StatementPlan) -> Iterator[str]:
    """Yield the steps of a plan without their figures, indented, and whether it is compiled just in time."""
    if plan.error:
        yield "not explained"
    for root in plan.roots:
        yield from _shape(root, 0)
    if plan.jit:
        yield "JIT"


def _shape(node: PlanNode, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{node.operation} {shortened(node.detail)}".rstrip()
    for child in node.children:
        yield from _shape(child, depth + 1)


def shortened(detail: str) -> str:
    """Return a step's detail with each long list of values as its first and how many follow."""
    return _LIST.sub(lambda found: f"{{{found[1]},\N{HORIZONTAL ELLIPSIS} {found[2].count(','):,} more}}", detail)


def _totals(plan: StatementPlan) -> Iterator[str]:
    for name, ms in (("planning", plan.planning_ms), ("executing", plan.executing_ms)):
        if ms is not None:
            yield f"{name} {ms:,.2f} ms"
    if plan.serializing_ms is not None:
        sent = f" to {bytes_text(plan.output_bytes)}" if plan.output_bytes else ""
        yield f"of it serialising {plan.serializing_ms:,.2f} ms{sent}"
    if plan.jit:
        yield "compiled just in time"


def _grow(tree: Tree, node: PlanNode) -> None:
    branch = tree.add(Text(f"{node.operation} {shortened(node.detail)}".rstrip() + _figures(node)))
    for child in node.children:
        _grow(branch, child)


def _figures(node: PlanNode) -> str:
    if node.rows is None:
        return ""
    planned = "" if node.planned_rows is None or node.loops != 1 else f", planned {node.planned_rows:,.0f}"
    figures: Sequence[str] = [
        f"{counted(round(node.rows), 'row')}{planned}",
        *([f"{node.loops:,} loops"] if (node.loops or 0) > 1 else []),
        *([f"{node.time_ms:,.2f} ms"] if node.time_ms is not None else []),
        *([f"{counted(node.hit_blocks, 'page')} cached"] if node.hit_blocks else []),
        *([f"{counted(node.read_blocks, 'page')} read"] if node.read_blocks else []),
    ]
    return f"  ({'; '.join(figures)})"


def differences_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return what differs between the plans of the first target and those of each other, strategy by strategy."""
    first = {looked.strategy: looked for looked in looks if looked.target == looks[0].target}
    found = [
        plan_difference(first[looked.strategy], looked, width=width)
        for looked in looks
        if looked.target != looks[0].target
        and looked.strategy in first
        and not looked.error
        and not first[looked.strategy].error
    ]
    return "\n\n".join(filter(None, found))
