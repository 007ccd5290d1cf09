"""What a client makes of pages and entries, and when it is put against a page."""

from __future__ import annotations

from loadtests._frames import Data, Info, Message, Page, Publication
from loadtests._view import View, Watch

NEWEST = 3


def said(offset: int, text: str = "") -> Publication:
    return Publication(Data(key=f"k{offset}", text=text or f"t{offset}"), Info("ann"), offset)


def edited(offset: int, target: int, text: str) -> Publication:
    return Publication(Data("edit", target=target, text=text), Info("ann"), offset)


def deleted(offset: int, target: int) -> Publication:
    return Publication(Data("delete", target=target), Info("ann"), offset)


def reacted(offset: int, target: int, user: str, *, on: bool = True) -> Publication:
    return Publication(Data("reaction", target=target, emoji="👍", on=on), Info(user), offset)


def message(offset: int, text: str = "", thumbs_up: tuple[str, ...] = ()) -> Message:
    return Message(offset, Data(text=text or f"t{offset}"), {"👍": list(thumbs_up)} if thumbs_up else {})


def gone(offset: int) -> Message:
    return Message(offset, None)


def page(offset: int, *messages: Message) -> Page:
    return Page(list(messages), offset, "e")


def made(*publications: Publication) -> str:
    view = View(NEWEST)
    for publication in publications:
        view.apply(publication)
    return view.digest()


def told(*messages: Message) -> str:
    return View.of(page(0, *messages), NEWEST).digest()


# A view


def test_messages_that_were_seen_are_those_of_a_page() -> None:
    assert made(said(1), said(2)) == told(message(1), message(2))


def test_another_text_another_message_or_another_place_is_another_state() -> None:
    assert len({made(said(1)), made(said(1, "x")), made(said(2)), made(said(1), said(2)), made()}) == 5


def test_changes_are_made() -> None:
    assert made(said(1), said(2), edited(3, 1, "x")) == told(message(1, "x"), message(2))
    assert made(said(1), said(2), deleted(3, 1)) == told(gone(1), message(2))
    assert made(said(1), reacted(2, 1, "bob"), reacted(3, 1, "eve")) == told(message(1, thumbs_up=("bob", "eve")))


def test_a_reaction_that_was_taken_back_is_as_if_it_had_never_been() -> None:
    assert made(said(1), reacted(2, 1, "bob"), reacted(3, 1, "bob", on=False)) == told(message(1))


def test_a_reaction_counts_once_and_goes_once() -> None:
    assert made(said(1), reacted(2, 1, "bob"), reacted(3, 1, "bob")) == told(message(1, thumbs_up=("bob",)))
    assert made(said(1), reacted(2, 1, "bob", on=False)) == told(message(1))


def test_a_deleted_message_has_no_reactions() -> None:
    assert made(said(1), reacted(2, 1, "bob"), deleted(3, 1)) == told(gone(1))


def test_only_the_newest_are_kept() -> None:
    assert made(said(1), said(2), said(3), said(4), edited(5, 1, "x")) == told(message(2), message(3), message(4))


def test_all_are_kept_if_that_is_wanted() -> None:
    view = View(0)
    for offset in range(1, 10):
        view.apply(said(offset))

    assert view.digest() == View.of(page(9, *map(message, range(1, 10))), 0).digest()


def test_what_a_view_has_already_changes_nothing() -> None:
    view = View.of(page(5, message(1, "x")), NEWEST)
    view.apply(edited(3, 1, "before"))

    assert (view.digest(), view.offset) == (told(message(1, "x")), 5)


def test_a_copy_goes_its_own_way() -> None:
    view = View.of(page(1, message(1)), NEWEST)
    copy = view.copy()
    copy.apply(reacted(2, 1, "bob"))
    copy.apply(edited(3, 1, "x"))

    assert view.digest() == told(message(1))


# Comparing


class Watched:
    """A watch, and what it recorded: offset, digest, and whether it was fetched."""

    def __init__(self, *seen: Publication) -> None:
        self.records: list[tuple[int, str, bool]] = []
        self.watch = Watch(NEWEST, self._record)
        self.watch.answer(self.watch.ask(), page(0), adopt=False)
        self.see(*seen)
        self.records.clear()

    def see(self, *seen: Publication) -> None:
        for publication in seen:
            self.watch.see(publication)

    def _record(self, view: View, *, fetched: bool = False) -> None:
        self.records.append((view.offset, view.digest(), fetched))


def test_a_page_is_compared_with_the_view_at_its_offset() -> None:
    watched = Watched(said(1))
    watched.watch.answer(watched.watch.ask(), page(1, message(1, "x")), adopt=False)

    assert watched.records == [(1, told(message(1, "x")), True), (1, made(said(1)), False)]


def test_a_page_may_be_of_a_moment_while_it_was_on_its_way() -> None:
    watched = Watched(said(1))
    asked = watched.watch.ask()
    watched.see(said(2), said(3))
    watched.watch.answer(asked, page(2, message(1), message(2)), adopt=False)

    assert watched.records == [(2, told(message(1), message(2)), fetched) for fetched in (True, False)]


def test_a_page_may_be_ahead_of_what_was_seen() -> None:
    watched = Watched(said(1))
    watched.watch.answer(watched.watch.ask(), page(2, message(1), message(2)), adopt=False)
    watched.see(said(2), said(3))

    assert watched.records == [(2, told(message(1), message(2)), fetched) for fetched in (True, False)]


def test_who_adopts_a_page_goes_on_from_it() -> None:
    watched = Watched(said(1))
    asked = watched.watch.ask()
    watched.see(said(2), said(3))
    watched.watch.answer(asked, page(2, message(1, "x"), message(2)), adopt=True)

    assert watched.watch.view
    assert watched.watch.view.digest() == told(message(1, "x"), message(2), message(3))


def test_who_adopts_a_page_that_is_older_than_what_it_saw_lacks_what_is_between() -> None:
    watched = Watched(said(1), said(2))
    asked = watched.watch.ask()
    watched.see(said(3))
    watched.watch.answer(asked, page(1, message(1)), adopt=True)

    assert watched.watch.view
    assert watched.watch.view.digest() == told(message(1), message(3))


def test_who_has_nothing_yet_adopts_the_first_page() -> None:
    watched = Watched(said(1))
    watched.watch.begin_anew()
    watched.watch.answer(watched.watch.ask(), page(7, message(7)), adopt=False)
    watched.see(said(8))

    assert watched.records == [(7, told(message(7)), True)]
    assert watched.watch.view
    assert watched.watch.view.digest() == told(message(7), message(8))


def test_an_answer_that_is_not_awaited_any_more_changes_nothing() -> None:
    watched = Watched(said(1))
    first = watched.watch.ask()
    watched.watch.forget()
    second = watched.watch.ask()
    watched.watch.answer(first, page(1), adopt=True)

    assert watched.watch.is_asking
    assert watched.records == []
    watched.watch.answer(second, page(1), adopt=True)
    assert len(watched.records) == 2


def test_a_page_that_does_not_come_is_awaited_no_longer() -> None:
    watched = Watched(said(1))
    watched.watch.answer(watched.watch.ask(), None, adopt=True)

    assert not watched.watch.is_asking
    assert watched.records == []
