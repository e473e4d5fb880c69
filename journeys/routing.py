"""Which steps open or close when a step ends, and whether a template's graph is sound.

A graph is a journey template: its steps and the edges between them. A step that ended may open again, as its
next round: a missed visit leads back to booking, a corrected result to telling anew. The caller leaves out
what is still open.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Fact = tuple[str, str]  # a step and the outcome it ended with


@dataclass(frozen=True)
class Node:
    """One step; `join` says whether it waits for any of the steps before it, or for all of them."""

    key: str
    entry: bool = False
    join: Literal["any", "all"] = "any"
    outcomes: frozenset[str] = frozenset()  # none: it may end with any word


@dataclass(frozen=True)
class Edge:
    """When `source` ends with `outcome` (empty: with any), `target` opens, or is closed as not needed."""

    source: str
    target: str
    outcome: str = ""
    effect: Literal["opens", "closes"] = "opens"

    def fires(self, ended: Mapping[str, str]) -> bool:
        return self.source in ended and self.outcome in ("", ended[self.source])


@dataclass(frozen=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def leaving(self, key: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.source == key and edge.effect == "opens"]

    def leading_to(self, key: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.target == key and edge.effect == "opens"]

    def sources(self, key: str) -> set[str]:
        return {edge.source for edge in self.leading_to(key)}


def entries(graph: Graph) -> list[str]:
    """The steps that open when the journey starts."""
    return [node.key for node in graph.nodes if node.entry]


def opens_after(graph: Graph, ended: Mapping[str, str], just_ended: str) -> list[str]:
    """The steps that open now that `just_ended` has ended, in the order of the graph.

    `ended` has the latest outcome of every step that ended, the last one included. A step that waits for all
    opens with the last of them, if every one ended as its edge wants.
    """
    opening = []
    for node in graph.nodes:
        met = {edge.source for edge in graph.leading_to(node.key) if edge.fires(ended)}
        if just_ended in met and (node.join == "any" or met == graph.sources(node.key)):
            opening.append(node.key)
    return opening


def closes_after(graph: Graph, just_ended: str, outcome: str) -> list[str]:
    """The steps that nobody needs any more."""
    ended = {just_ended: outcome}
    closed = {edge.target for edge in graph.edges if edge.effect == "closes" and edge.fires(ended)}
    return [node.key for node in graph.nodes if node.key in closed]


def problems(graph: Graph) -> list[str]:
    """What is wrong with a graph, one sentence each; the step at fault is the one in single quotes."""
    found = [*_unknown(graph), *_named_twice(graph)]
    if not entries(graph):
        return [*found, "no step starts the journey: mark at least one as its entry"]
    opened = _openable(graph)
    return [*found, *_unreachable(graph, opened), *_unmeetable(graph, opened), *_endless(graph, opened)]


def _named_twice(graph: Graph) -> Iterator[str]:
    keys = [node.key for node in graph.nodes]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"step '{key}' is there twice"


def _unknown(graph: Graph) -> Iterator[str]:
    nodes = {node.key: node for node in graph.nodes}
    for edge in graph.edges:
        verb = "waits for" if edge.effect == "opens" else "is closed by"
        if edge.target not in nodes:
            yield f"\"{edge.source}\" leads to step '{edge.target}', which is not there"
        if edge.source not in nodes:
            yield f"step '{edge.target}' {verb} \"{edge.source}\", which is no step of this journey"
            continue
        outcomes = nodes[edge.source].outcomes
        if edge.outcome and outcomes and edge.outcome not in outcomes:
            yield (
                f'step \'{edge.target}\' {verb} outcome "{edge.outcome}" of "{edge.source}", '
                f"which ends only with: {', '.join(sorted(outcomes))}"
            )


def _openable(graph: Graph) -> set[str]:
    """The steps that can open at all. A source that is no step is reported by itself, so it counts as met."""
    opened = set(entries(graph))
    met = opened | ({edge.source for edge in graph.edges} - {node.key for node in graph.nodes})
    while more := {node.key for node in graph.nodes if _may_open(graph, node, met)} - opened:
        opened |= more
        met |= more
    return opened


def _may_open(graph: Graph, node: Node, met: set[str]) -> bool:
    sources = graph.sources(node.key)
    return bool(sources) and sources <= met if node.join == "all" else bool(sources & met)


def _unreachable(graph: Graph, opened: Collection[str]) -> Iterator[str]:
    closed = {node.key for node in graph.nodes} - set(opened)
    for node in graph.nodes:
        if node.key in opened:
            continue
        missing = ", ".join(f'"{key}"' for key in sorted(graph.sources(node.key) & closed))
        if not missing:
            yield f"step '{node.key}' can never open: nothing leads to it"
        else:
            waits = f"all, and {missing}" if node.join == "all" else f"{missing}, which"
            yield f"step '{node.key}' can never open: it waits for {waits} cannot open before it"


def _unmeetable(graph: Graph, opened: Collection[str]) -> Iterator[str]:
    """A join of all that needs two different outcomes of a step which runs only once."""
    needed = _needed(graph, opened)
    for node in graph.nodes:
        facts = needed.get(node.key, frozenset()) if node.join == "all" else frozenset()
        for key in sorted({key for key, _ in facts}):
            outcomes = sorted(f'"{outcome}"' for step, outcome in facts if step == key)
            if len(outcomes) > 1 and _runs_once(graph, key):
                both = " and ".join(outcomes)
                yield f"step '{node.key}' can never open: \"{key}\" would have to end with {both}"


def _needed(graph: Graph, opened: Collection[str]) -> dict[str, frozenset[Fact]]:
    """For each step, what must have happened on every way to it. Shrinks until nothing changes."""
    everything = frozenset((edge.source, edge.outcome) for edge in graph.edges if edge.outcome)
    needed = dict.fromkeys(opened, everything)
    while True:
        now = {node.key: _needs(graph, node, needed) for node in graph.nodes if node.key in opened}
        if now == needed:
            return needed
        needed = now


def _needs(graph: Graph, node: Node, needed: Mapping[str, frozenset[Fact]]) -> frozenset[Fact]:
    ways: dict[str, frozenset[Fact]] = {}
    for edge in graph.leading_to(node.key):
        if edge.source in needed:
            facts = needed[edge.source] | ({(edge.source, edge.outcome)} if edge.outcome else set())
            ways[edge.source] = ways.get(edge.source, facts) & facts
    if node.entry or not ways:
        return frozenset()
    return frozenset.union(*ways.values()) if node.join == "all" else frozenset.intersection(*ways.values())


def _runs_once(graph: Graph, key: str, below: frozenset[str] = frozenset()) -> bool:
    """Whether no way leads to the step twice: it starts the journey, or follows one step that runs once."""
    sources = graph.sources(key)
    node = next((node for node in graph.nodes if node.key == key), Node(key))
    several = bool(sources) and (node.entry or (node.join == "any" and len(sources) > 1))
    if several or key in below:
        return False
    return all(_runs_once(graph, source, below | {key}) for source in sources)


def _endless(graph: Graph, opened: Collection[str]) -> Iterator[str]:
    """Steps that lead back to themselves whatever their outcome, and that nothing closes.

    A step that waits for several may stay shut, so it counts as a way out.
    """
    waiting = {node.key for node in graph.nodes if node.join == "all" and len(graph.sources(node.key)) > 1}
    ending = waiting | ({node.key for node in graph.nodes} - set(opened))
    while more := {node.key for node in graph.nodes if _can_end(graph, node, ending)} - ending:
        ending |= more
    for node in graph.nodes:
        if node.key in opened and node.key not in ending and node.key in _after(graph, node.key):
            yield f"step '{node.key}' is in an endless loop: none of its outcomes leads out"


def _after(graph: Graph, key: str) -> set[str]:
    """Every step that may open because this one ended; the step itself only if it lies on a loop."""
    found: set[str] = set()
    ahead = {key}
    while ahead:
        ahead = {edge.target for node in ahead for edge in graph.leaving(node)} - found
        found |= ahead
    return found


def _can_end(graph: Graph, node: Node, ending: Collection[str]) -> bool:
    """Whether the step has a way on which everything comes to an end, given the steps known to have one."""
    closers = {edge.source for edge in graph.edges if edge.target == node.key and edge.effect == "closes"}
    if closers & set(ending):
        return True
    return any(
        all(edge.target in ending for edge in graph.leaving(node.key) if edge.outcome in ("", outcome))
        for outcome in node.outcomes or {""}
    )
