"""Ends open and close what the graph says; every unsound graph is refused in words that name the step."""

from typing import Literal

import pytest
from hypothesis import given, settings, strategies as st

from journeys.routing import Edge, Graph, Node, closes_after, entries, opens_after, problems


def node(key: str, outcomes: str = "", *, entry: bool = False, join: Literal["any", "all"] = "any") -> Node:
    return Node(key, entry, join, frozenset(outcomes.split()))


def opens(source: str, target: str, outcome: str = "") -> Edge:
    return Edge(source, target, outcome)


def closes(source: str, target: str, outcome: str = "") -> Edge:
    return Edge(source, target, outcome, "closes")


DENTAL = Graph(
    (
        node("images", "received not_done", entry=True),
        node("trip", "been_there", entry=True),
        node("inform", "told"),
        node("review", "treat no_treatment"),
        node("confirm", "confirmed cannot_come"),
        node("book", "booked declined"),
        node("visit", "attended no_show"),
        node("bill", "paid", join="all"),
    ),
    (
        opens("images", "inform", "received"),
        opens("images", "review", "received"),
        closes("images", "trip"),
        opens("review", "confirm", "treat"),
        opens("review", "visit", "treat"),
        closes("visit", "confirm", "attended"),
        opens("confirm", "book", "cannot_come"),
        opens("visit", "book", "no_show"),
        opens("book", "visit", "booked"),
        opens("visit", "bill", "attended"),
        opens("inform", "bill"),
    ),
)


def test_a_journey_starts_with_all_its_entries_side_by_side() -> None:
    assert entries(DENTAL) == ["images", "trip"]


@pytest.mark.parametrize(
    ("ended", "just_ended", "opened"),
    [
        ({"images": "received"}, "images", ["inform", "review"]),
        ({"images": "not_done"}, "images", []),
        ({"trip": "been_there"}, "trip", []),
        ({"images": "received", "review": "treat"}, "review", ["confirm", "visit"]),
        ({"images": "received", "review": "no_treatment"}, "review", []),
        ({"review": "treat", "confirm": "confirmed"}, "confirm", []),
        # a join of all waits for the last of its steps, whichever it is, and for the outcome it wants
        ({"visit": "attended"}, "visit", []),
        ({"visit": "attended", "inform": "told"}, "inform", ["bill"]),
        ({"inform": "told", "visit": "attended"}, "visit", ["bill"]),
        ({"inform": "told", "visit": "no_show"}, "visit", ["book"]),
        # the step that just ended decides; what ended before does not open anything again
        ({"review": "treat", "trip": "been_there"}, "trip", []),
        # a missed visit leads back to booking, and booking to a second visit
        ({"book": "booked", "visit": "no_show"}, "visit", ["book"]),
        ({"visit": "no_show", "book": "booked"}, "book", ["visit"]),
        # a step that is not among those that ended opens nothing
        ({}, "images", []),
    ],
)
def test_a_step_opens_what_its_outcome_leads_to(
    ended: dict[str, str], just_ended: str, opened: list[str]
) -> None:
    assert opens_after(DENTAL, ended, just_ended) == opened


@pytest.mark.parametrize(
    ("just_ended", "outcome", "closed"),
    [
        ("images", "received", ["trip"]),
        ("images", "not_done", ["trip"]),
        ("visit", "attended", ["confirm"]),
        ("visit", "no_show", []),
        ("review", "treat", []),
    ],
)
def test_a_step_closes_what_nobody_needs_after_it(just_ended: str, outcome: str, closed: list[str]) -> None:
    assert closes_after(DENTAL, just_ended, outcome) == closed


def test_a_join_of_all_takes_any_of_several_outcomes_of_one_step() -> None:
    edges = (opens("a", "c", "good"), opens("a", "c", "fair"), opens("b", "c"))
    graph = Graph((node("a", "good fair bad"), node("b", "done"), node("c", "done", join="all")), edges)
    assert opens_after(graph, {"a": "fair", "b": "done"}, "b") == ["c"]
    assert opens_after(graph, {"a": "bad", "b": "done"}, "b") == []


def test_a_sound_graph_has_no_problems() -> None:
    assert problems(DENTAL) == []


A = node("a", "yes no", entry=True)
B, C, D = (node(key, "done") for key in "bcd")


@pytest.mark.parametrize(
    ("nodes", "edges", "wrong"),
    [
        ((), (), ["no step starts the journey: mark at least one as its entry"]),
        ((B, C), (opens("b", "c"),), ["no step starts the journey: mark at least one as its entry"]),
        ((A, node("review", "done")), (), ["step 'review' can never open: nothing leads to it"]),
        (
            (A, B, C),
            (opens("b", "c"),),
            [
                "step 'b' can never open: nothing leads to it",
                "step 'c' can never open: it waits for \"b\", which cannot open before it",
            ],
        ),
        (
            (A, B, C),
            (opens("b", "c"), opens("c", "b")),
            [
                "step 'b' can never open: it waits for \"c\", which cannot open before it",
                "step 'c' can never open: it waits for \"b\", which cannot open before it",
            ],
        ),
        (
            (A, node("b", "done", join="all"), C),
            (opens("a", "b"), opens("c", "b"), opens("b", "c")),
            [
                "step 'b' can never open: it waits for all, and \"c\" cannot open before it",
                "step 'c' can never open: it waits for \"b\", which cannot open before it",
            ],
        ),
    ],
)
def test_a_step_that_can_never_open_is_named(
    nodes: tuple[Node, ...], edges: tuple[Edge, ...], wrong: list[str]
) -> None:
    assert problems(Graph(nodes, edges)) == wrong


@pytest.mark.parametrize(
    ("edges", "wrong"),
    [
        ((opens("a", "b"), opens("x", "b")), ["step 'b' waits for \"x\", which is no step of this journey"]),
        ((opens("x", "b"),), ["step 'b' waits for \"x\", which is no step of this journey"]),
        (
            (opens("a", "b"), closes("x", "b")),
            ["step 'b' is closed by \"x\", which is no step of this journey"],
        ),
        ((opens("a", "b"), opens("a", "x")), ["\"a\" leads to step 'x', which is not there"]),
        (
            (opens("a", "b", "maybe"),),
            ['step \'b\' waits for outcome "maybe" of "a", which ends only with: no, yes'],
        ),
        (
            (opens("a", "b"), closes("a", "b", "maybe")),
            ['step \'b\' is closed by outcome "maybe" of "a", which ends only with: no, yes'],
        ),
        ((opens("a", "b", "yes"), closes("b", "a", "done")), []),
    ],
)
def test_an_edge_names_steps_and_outcomes_that_exist(edges: tuple[Edge, ...], wrong: list[str]) -> None:
    assert problems(Graph((A, B), edges)) == wrong


def test_a_step_without_a_list_of_outcomes_may_end_with_any() -> None:
    graph = Graph((node("a", entry=True), B), (opens("a", "b", "whatever"),))
    assert problems(graph) == []


def test_a_step_named_twice_is_a_problem() -> None:
    assert problems(Graph((A, B, B), (opens("a", "b"),))) == ["step 'b' is there twice"]


EXCLUSIVE = (opens("a", "b", "yes"), opens("a", "c", "no"), opens("b", "d"), opens("c", "d"))
JOIN = node("d", "done", join="all")


@pytest.mark.parametrize(
    ("nodes", "edges", "wrong"),
    [
        (
            (A, B, C, JOIN),
            EXCLUSIVE,
            ['step \'d\' can never open: "a" would have to end with "no" and "yes"'],
        ),
        # either of them is enough
        ((A, B, C, D), EXCLUSIVE, []),
        # both follow from one outcome
        ((A, B, C, JOIN), (opens("a", "b", "yes"), opens("a", "c", "yes"), *EXCLUSIVE[2:]), []),
        # the step may run again and end otherwise
        ((A, B, C, JOIN), (*EXCLUSIVE, opens("b", "a")), []),
        ((A, B, C, JOIN, node("e", "done", entry=True)), (*EXCLUSIVE, opens("e", "a")), []),
    ],
)
def test_a_join_that_can_never_be_met_is_named(
    nodes: tuple[Node, ...], edges: tuple[Edge, ...], wrong: list[str]
) -> None:
    assert problems(Graph(nodes, edges)) == wrong


@pytest.mark.parametrize(
    ("edges", "looping"),
    [
        ((opens("a", "b"), opens("b", "a")), "ab"),
        ((opens("a", "b", "yes"), opens("b", "a")), ""),
        ((opens("a", "a"), opens("a", "b")), "a"),
        ((opens("a", "b"), opens("b", "b")), "b"),
        # two outcomes, and both lead back
        ((opens("a", "b", "yes"), opens("a", "c", "no"), opens("b", "a"), opens("c", "a")), "abc"),
        # another step puts an end to it
        ((opens("a", "b"), opens("b", "a"), opens("a", "c"), closes("c", "a")), ""),
    ],
)
def test_a_loop_with_no_way_out_is_named(edges: tuple[Edge, ...], looping: str) -> None:
    used = {"a", *(edge.target for edge in edges)}
    graph = Graph(tuple(each for each in (A, B, C) if each.key in used), edges)
    assert problems(graph) == [
        f"step '{key}' is in an endless loop: none of its outcomes leads out" for key in looping
    ]


KEYS = "abcd"
OUTCOMES = ("x", "y")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any tangle of four steps and two outcomes: loops, joins, dead ends."""
    nodes = tuple(
        Node(key, draw(st.booleans()), draw(st.sampled_from(["any", "any", "all"])), frozenset(OUTCOMES))
        for key in KEYS
    )
    edges = st.builds(Edge, st.sampled_from(KEYS), st.sampled_from(KEYS), st.sampled_from(("", *OUTCOMES)))
    return Graph(nodes, tuple(draw(st.lists(edges, max_size=7))))


endings = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(OUTCOMES))


@given(graphs(), endings, st.sampled_from(KEYS))
def test_only_steps_that_the_last_one_leads_to_open(
    graph: Graph, ended: dict[str, str], just_ended: str
) -> None:
    opened = opens_after(graph, ended, just_ended)
    following = {edge.target for edge in graph.edges if edge.source == just_ended and edge.fires(ended)}
    assert set(opened) <= following
    assert {each.key for each in graph.nodes if each.join == "any" and each.key in following} <= set(opened)
    assert opened == sorted(set(opened))


@given(graphs(), endings, endings, st.sampled_from(KEYS))
def test_the_more_has_ended_the_more_opens(
    graph: Graph, ended: dict[str, str], more: dict[str, str], just_ended: str
) -> None:
    assert set(opens_after(graph, ended, just_ended)) <= set(
        opens_after(graph, {**more, **ended}, just_ended)
    )


State = tuple[frozenset[str], tuple[tuple[str, str], ...]]  # open steps, and what ended how


def following(graph: Graph, state: State) -> list[tuple[str, State]]:
    """What the engine may do next: end one open step with one outcome. Steps still open do not open twice."""
    active, ended = state
    moves = []
    for key in active:
        for outcome in OUTCOMES:
            now = {**dict(ended), key: outcome}
            remaining = active - {key}
            opened = frozenset(opens_after(graph, now, key))
            moves.append((key, (remaining | opened, tuple(sorted(now.items())))))
    return moves


def every_run(graph: Graph) -> dict[State, list[State]]:
    start: State = (frozenset(entries(graph)), ())
    runs: dict[State, list[State]] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state not in runs:
            runs[state] = [after for _, after in following(graph, state)]
            waiting += runs[state]
    return runs


@settings(max_examples=60)
@given(graphs())
def test_what_is_called_impossible_never_happens_in_any_run(graph: Graph) -> None:
    runs = every_run(graph)
    opened = {key for active, _ in runs for key in active}
    found = problems(graph)
    dead = {key for key in KEYS if any(f"'{key}' can never open" in problem for problem in found)}
    assert not dead & opened
    if entries(graph) and all(each.join == "any" for each in graph.nodes):
        assert dead == set(KEYS) - opened  # with no join of all, nothing impossible is missed


@settings(max_examples=60)
@given(graphs())
def test_what_is_called_endless_never_ends_in_any_run(graph: Graph) -> None:
    runs = every_run(graph)
    endless = {key for key in KEYS if any(f"'{key}' is in an endless" in each for each in problems(graph))}
    over = {state for state in runs if not state[0]}
    while more := {state for state, after in runs.items() if over & set(after)} - over:
        over |= more  # every state from which the journey can still come to its end
    assert not any(endless & active for active, _ in over)


@given(st.lists(st.sampled_from(OUTCOMES), min_size=12, max_size=12), st.data())
def test_without_loops_and_joins_no_step_opens_twice(outcomes: list[str], data: st.DataObject) -> None:
    edges = [
        Edge(data.draw(st.sampled_from(KEYS[:n])), KEYS[n], data.draw(st.sampled_from(("", *OUTCOMES))))
        for n in range(1, len(KEYS))
    ]
    graph = Graph(tuple(node(key, "x y", entry=key == "a") for key in KEYS), tuple(edges))
    ended: dict[str, str] = {}
    waiting = entries(graph)
    for outcome in outcomes[: len(KEYS)]:
        if waiting:
            key = waiting.pop()
            ended[key] = outcome
            opened = opens_after(graph, ended, key)
            assert not set(opened) & {*ended, *waiting, *entries(graph)}
            waiting += opened
