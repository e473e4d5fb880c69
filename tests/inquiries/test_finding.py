"""What is asked for is found in any of the words for it, as people type them; half of the words are no answer."""

import pytest
from hypothesis import assume, given, settings, strategies as st

from inquiries.finding import AROUND, Entry, Found, distance, find, words_of

FLU, CHILD, HEP_A, HEP_B, GUARD = range(1, 6)
ENTRIES = (
    Entry(
        FLU, ("Flu vaccine", "חיסון נגד שפעת", "Прививка от гриппа", "لقاح الإنفلونزا", "influenza", "jab")
    ),
    Entry(CHILD, ("Flu vaccine for children", "חיסון נגד שפעת לילדים", "Прививка от гриппа для детей")),
    Entry(HEP_A, ("Hepatitis A vaccine", "חיסון נגד צהבת A", "Прививка от гепатита A")),
    Entry(HEP_B, ("Hepatitis B vaccine", "חיסון נגד צהבת B", "Прививка от гепатита B")),
    Entry(GUARD, ("Night guard", "סד לילה", "Ночная капа", "واقي ليلي", "splint")),
)


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        ("flu vaccine", (FLU,)),
        ("FLU  VACCINE?", (FLU,)),
        ("do you have a flu vaccine", (FLU,)),
        ("how much is the flu vaccine for children", (CHILD,)),
        ("flu", (FLU, CHILD)),  # which of them is asked back
        ("flu vacine", (FLU, CHILD)),  # a letter left out; no name is said whole
        ("influenza", (FLU,)),
        ("infleunza", (FLU,)),  # two letters swapped
        ("hepatitis a", (HEP_A,)),
        ("hepatitis B", (HEP_B,)),
        ("hepatitis", (HEP_A, HEP_B)),
        ("hepatitis vaccine", (HEP_A, HEP_B)),
        ("hepatitis c", ()),  # nearly the same is another illness
        ("measles vaccine", ()),
        ("vaccine", (FLU, CHILD, HEP_A, HEP_B)),
        ("night gaurd", (GUARD,)),
        ("יש לכם חיסון נגד שפעת?", (FLU,)),
        ("חיסון לשפעת לילדים", (CHILD,)),  # a particle written together with the word
        ("החיסון לצהבת B", (HEP_B,)),
        ("есть ли у вас прививка от гриппа", (FLU,)),
        ("сколько стоит прививку от гриппа сделать", ()),  # a word that nothing of ours has
        ("гепатит б", ()),  # a Russian letter is not the Latin one
        ("капа", (GUARD,)),
        ("ночную капу", (GUARD,)),
        ("هل عندكم لقاح الانفلونزا", (FLU,)),  # without the hamza
        ("لقاح للإنفلونزا", (FLU,)),
        ("guard flu", ()),
        ("x", ()),
        ("", ()),
        ("?!", ()),
    ],
)
def test_what_is_asked_for_is_found(asked: str, fitting: tuple[int, ...]) -> None:
    assert find(asked, ENTRIES).fitting == fitting


def test_what_only_partly_fits_is_named_apart() -> None:
    assert find("measles vaccine", ENTRIES) == Found((), (FLU, CHILD, HEP_A, HEP_B))
    assert find("flu vaccine", ENTRIES).near == (CHILD, HEP_A, HEP_B)


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        (f"{'hello please ' * 9}flu vaccine for children", (CHILD,)),  # what means nothing takes no place
        (f"{'flu ' * 11}zebra", ()),
        (f"{'flu ' * 12}zebra", (FLU, CHILD)),
    ],
)
def test_only_so_many_words_of_a_long_question_are_looked_at(asked: str, fitting: tuple[int, ...]) -> None:
    assert find(asked, ENTRIES).fitting == fitting


@pytest.mark.parametrize(
    ("one", "other", "most", "apart"),
    [
        ("grippe", "grippe", 2, 0),
        ("gripe", "grippe", 2, 1),
        ("girppe", "grippe", 2, 1),
        ("flu", "flute", 1, 2),
        ("abcd", "wxyz", 2, 3),
        ("", "ab", 2, 2),
    ],
)
def test_letters_apart_are_counted(one: str, other: str, most: int, apart: int) -> None:
    assert distance(one, other, most) == distance(other, one, most) == apart


LETTERS = st.text(
    st.sampled_from("abcdefghijklmnoprstuvабвгдежзиклмнопрстуאבגדהזחטילמנסעפקרשת"), min_size=5, max_size=9
)
NAMES = st.lists(LETTERS, min_size=1, max_size=3).map(" ".join)
OFFERED = st.lists(NAMES, min_size=1, max_size=6, unique=True).map(
    lambda names: [Entry(key, (name,)) for key, name in enumerate(names)]
)


@given(st.text(max_size=60), OFFERED)
def test_whatever_is_typed_finds_only_what_is_offered_and_each_once(asked: str, entries: list[Entry]) -> None:
    found = find(asked, entries)
    keys = [*found.fitting, *found.near]
    assert len(keys) == len(set(keys))
    assert set(keys) <= {entry.key for entry in entries}


@given(OFFERED, st.data())
def test_a_name_finds_its_own_thing_first(entries: list[Entry], data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from(entries))
    assert entry.key in find(entry.names[0].upper(), entries).fitting


@given(OFFERED, st.data())
@settings(max_examples=200)
def test_two_neighbours_swapped_in_one_word_still_find_it(entries: list[Entry], data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from(entries))
    words = list(words_of(entry.names[0]))
    assume(not AROUND.intersection(words))
    nth = data.draw(st.integers(0, len(words) - 1))
    at = data.draw(st.integers(1, len(words[nth]) - 2))
    word = words[nth]
    words[nth] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    found = find(" ".join(words), [entry])
    assert found.fitting == (entry.key,)
