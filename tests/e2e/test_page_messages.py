"""What people do with messages on the page, in two browsers: edit, delete, react, answer, mention."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.test_page import PHONE, join, say, timeline
from tests.server import Member

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Check, NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser


def composer(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def message(page: Page, text: str) -> Locator:
    return timeline(page).locator(".message").filter(has=page.locator(".text", has_text=text))


def tool(page: Page, text: str, name: str) -> None:
    """Use a button of a message's toolbar, or an item of its menu."""
    expect(message(page, text)).to_have_attribute("data-state", "sent")
    message(page, text).hover()
    toolbar = message(page, text).get_by_role("toolbar")
    if name in {"React", "Reply", "Edit", "More"}:
        toolbar.get_by_role("button", name=name).click()
    else:
        toolbar.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name=name).click()


def meet(server: Server, new_page: NewPage, room: str) -> tuple[Page, Page]:
    return join(new_page(), server, "Ada", f"/r/{room}"), join(new_page(), server, "Bob", f"/r/{room}")


def test_an_edit_is_made_in_the_composer_and_shown_to_both(server: Server, new_page: NewPage) -> None:
    ada, bob = meet(server, new_page, "edits")
    say(ada, "frist")
    composer(ada).fill("half a sentence")
    expect(message(bob, "frist")).to_be_visible()

    tool(ada, "frist", "Edit")
    expect(composer(ada)).to_have_value("frist")
    expect(composer(ada)).to_be_focused()
    say(ada, "first")

    for page in (ada, bob):
        expect(message(page, "first")).to_contain_text("(edited)")
        expect(message(page, "first").locator(".edited")).to_have_attribute("title", re.compile(r"\d:\d\d:\d\d"))
        expect(message(page, "frist")).to_have_count(0)
    expect(composer(ada)).to_have_value("half a sentence")
    expect(message(bob, "first")).to_have_count(1)
    message(bob, "first").hover()
    expect(bob.get_by_role("toolbar").get_by_role("button", name="Edit")).to_have_count(0)


def test_up_edits_the_last_message_and_escape_leaves_it_as_it_was(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/up")
    say(ada, "the last one")
    expect(message(ada, "the last one")).to_have_attribute("data-state", "sent")

    composer(ada).press("ArrowUp")
    expect(composer(ada)).to_have_value("the last one")
    composer(ada).press("Escape")

    expect(composer(ada)).to_have_value("")
    expect(ada.get_by_role("button", name="Cancel the edit")).to_have_count(0)
    expect(message(ada, "the last one")).not_to_contain_text("(edited)")


def test_a_deletion_is_confirmed_and_leaves_a_trace(server: Server, new_page: NewPage) -> None:
    ada, bob = meet(server, new_page, "deletions")
    say(ada, "a mistake")

    tool(ada, "a mistake", "Delete")
    dialog = ada.get_by_role("dialog", name="Delete this message?")
    expect(dialog).to_contain_text("a mistake")
    dialog.get_by_role("button", name="Cancel").click()
    expect(message(ada, "a mistake")).to_be_visible()
    tool(ada, "a mistake", "Delete")
    dialog.get_by_role("button", name="Delete").click()

    for page in (ada, bob):
        expect(message(page, "Message deleted")).to_be_visible()
        expect(message(page, "a mistake")).to_have_count(0)


def test_a_change_that_is_refused_is_undone_and_says_why(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/refused")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "refused"})
    target = bob.rpc("send", channel="refused", key="k", text="react to me")["offset"]
    bob.rpc("react", channel="refused", key="r", target=target, emoji="👍")
    chip = message(ada, "react to me").locator(".reaction")
    expect(chip).to_have_accessible_name("👍 1: Bob")
    ada.context.set_offline(True)
    expect(ada.locator("[data-state=connecting]")).to_be_attached(timeout=60_000)

    chip.click()
    expect(chip).to_have_accessible_name("👍 2: You and Bob")
    bob.rpc("delete", channel="refused", key="d", target=target)
    ada.context.set_offline(False)

    expect(message(ada, "Message deleted")).to_contain_text("Reaction not kept", timeout=30_000)
    ada.get_by_role("button", name="Discard").click()
    expect(message(ada, "Message deleted")).not_to_contain_text("Reaction not kept")
    bob.close()


def test_who_leaves_with_something_unsent_is_asked_first(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/unsent")
    ada.context.set_offline(True)
    say(ada, "wait for me")
    expect(message(ada, "wait for me")).to_have_attribute("data-state", "pending")

    with ada.expect_event("dialog", lambda dialog: dialog.type == "beforeunload"):
        ada.close(run_before_unload=True)

    ada.context.set_offline(False)
    expect(message(ada, "wait for me")).to_have_attribute("data-state", "sent", timeout=60_000)
    with ada.expect_event("close"):
        ada.close(run_before_unload=True)


def test_reactions_are_put_and_taken_back_with_a_click_and_say_whose_they_are(
    server: Server, new_page: NewPage
) -> None:
    ada, bob = meet(server, new_page, "reacting")
    say(ada, "lunch?")

    tool(bob, "lunch?", "React")
    picker = bob.get_by_role("dialog", name="Choose an emoji")
    expect(picker.get_by_role("searchbox")).to_be_focused()
    bob.keyboard.type("tada")
    bob.keyboard.press("Enter")
    expect(picker).to_have_count(0)

    expect(message(bob, "lunch?").get_by_role("button", name="🎉 1: You")).to_be_visible()
    chip = message(ada, "lunch?").get_by_role("button", name="🎉 1: Bob")
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.hover()
    expect(message(ada, "lunch?").locator(".who")).to_be_visible()
    chip.click()
    both = message(ada, "lunch?").get_by_role("button", name="🎉 2: You and Bob")
    expect(both).to_have_attribute("aria-pressed", "true")
    both.click()
    message(bob, "lunch?").get_by_role("button", name="🎉 1: You").click()

    for page in (ada, bob):
        expect(message(page, "lunch?").get_by_role("list", name="Reactions")).to_have_count(0)
    tool(bob, "lunch?", "React")
    expect(picker.get_by_label("Used last").get_by_role("button").first).to_have_accessible_name("🎉 :tada:")


def test_the_picker_is_walked_by_keyboard(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/picking")
    say(ada, "hello")
    tool(ada, "hello", "React")
    expect(ada.get_by_label("Smileys & Emotion").first).to_be_visible()

    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft"):
        ada.keyboard.press(key)
    expect(ada.get_by_role("button", name="❤️ :heart:").first).to_be_focused()
    ada.keyboard.press("Escape")
    expect(ada.get_by_role("dialog")).to_have_count(0)
    expect(ada.get_by_role("button", name="React")).to_be_focused()


def test_an_answer_quotes_what_it_answers(server: Server, new_page: NewPage) -> None:
    ada, bob = meet(server, new_page, "answers")
    say(ada, "shall we meet at noon?")
    tool(bob, "shall we meet", "Reply")
    expect(composer(bob)).to_be_focused()
    expect(bob.locator(".composing")).to_contain_text("shall we meet at noon?")
    say(bob, "gladly")

    for page in (ada, bob):
        quote = message(page, "gladly").locator(".quote")
        expect(quote).to_contain_text("Ada")
        expect(quote).to_contain_text("shall we meet at noon?")
    expect(bob.locator(".composing")).to_have_count(0)
    message(ada, "gladly").locator(".quote").click()
    expect(message(ada, "shall we meet at noon?").locator("> .text")).to_be_in_viewport()

    tool(ada, "shall we meet", "Delete")
    ada.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for page in (ada, bob):
        expect(message(page, "gladly").locator(".quote")).to_contain_text("Message deleted")


def test_a_quote_of_what_is_not_loaded_is_fetched(server: Server, new_page: NewPage) -> None:
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "long-ago"})
    old = bob.rpc("send", channel="long-ago", key="old", text="said long ago")["offset"]
    for number in range(60):
        bob.rpc("send", channel="long-ago", key=f"{number}", text=f"filler {number}" + "\nand more" * 20)
    bob.rpc("send", channel="long-ago", key="answer", text="an answer", reply=old)

    ada = join(new_page(), server, "Ada", "/r/long-ago")

    expect(message(ada, "an answer").locator(".quote")).to_contain_text("said long ago")
    assert timeline(ada).locator(f"[data-offset='{old}']").count() == 0
    bob.rpc("edit", channel="long-ago", key="e", target=old, text="said differently")
    expect(message(ada, "an answer").locator(".quote")).to_contain_text("said differently")
    bob.close()


def test_a_mention_is_completed_sent_and_marked_for_whom_it_means(server: Server, new_page: NewPage) -> None:
    ada, bob = meet(server, new_page, "mentions")
    expect(ada.get_by_role("list", name="People").get_by_role("listitem")).to_have_count(2)

    composer(ada).press_sequentially("hello @b")
    expect(ada.get_by_role("option", name="Bob")).to_have_attribute("aria-selected", "true")
    composer(ada).press("Enter")
    expect(composer(ada)).to_have_value("hello @Bob ")
    composer(ada).press_sequentially("!")
    composer(ada).press("Enter")

    for page, whose in ((ada, "other"), (bob, "us")):
        expect(message(page, "hello").locator(f"[data-mention={whose}]")).to_have_text("@Bob")
    expect(message(bob, "hello")).to_have_class(re.compile(r"\bcalls\b"))
    expect(message(ada, "hello")).not_to_have_class(re.compile(r"\bcalls\b"))


def test_names_that_look_like_markup_are_mentioned_as_they_are(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/markup")
    bob = Member(server, "**Bob** `x` [y](z)")
    bob.call(subscribe={"channel": "markup"})
    expect(ada.get_by_role("list", name="People").get_by_role("listitem")).to_have_count(2)

    composer(ada).press_sequentially("_hello_ @b")
    composer(ada).press("Tab")
    composer(ada).press("Enter")

    said = message(ada, "hello")
    expect(said.locator("[data-mention]")).to_have_text("@**Bob** `x` [y](z)")
    expect(said.locator("em")).to_have_text("hello")
    expect(said.locator("strong, code, a")).to_have_count(0)
    bob.close()


def test_shortcodes_become_emojis(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/shortcodes")
    field = composer(ada)

    field.press_sequentially("so :tad")
    expect(ada.get_by_role("option").first).to_have_text(re.compile(r"🎉\s*:tada:"))
    field.press("Enter")
    field.press_sequentially("and :rocket: at 12:30:")
    field.press_sequentially(" :smi")
    expect(ada.get_by_role("listbox")).to_be_visible()
    field.press("ArrowDown")
    expect(ada.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == ada.get_by_role("option").nth(1).get_attribute("id")
    field.press("Escape")
    expect(ada.get_by_role("listbox")).to_have_count(0)
    field.press("Enter")

    expect(message(ada, "so")).to_contain_text("so 🎉 and 🚀 at 12:30: :smi")
    say(ada, "🎉")
    expect(timeline(ada).locator(".few-emojis")).to_have_count(1)


def test_a_draft_survives_a_reload_with_what_it_answers_and_stays_in_its_room(
    server: Server, new_page: NewPage
) -> None:
    ada = join(new_page(), server, "Ada", "/r/drafts")
    say(ada, "to be answered")
    tool(ada, "to be answered", "Reply")
    composer(ada).fill("half a sen")
    expect(ada.locator(".composing")).to_contain_text("to be answered")

    ada.goto(server.url + "/r/another")
    expect(composer(ada)).to_have_value("")
    ada.goto(server.url + "/r/drafts")

    expect(composer(ada)).to_have_value("half a sen")
    expect(ada.locator(".composing")).to_contain_text("to be answered")
    ada.get_by_role("button", name="Cancel the reply").click()
    expect(ada.locator(".composing")).to_have_count(0)
    expect(composer(ada)).to_have_value("half a sen")


def test_an_answer_written_offline_is_sent_once_as_an_answer(server: Server, new_page: NewPage) -> None:
    ada, bob = meet(server, new_page, "offline")
    say(ada, "are you there?")
    expect(message(bob, "are you there?")).to_be_visible()
    bob.context.set_offline(True)
    expect(bob.locator("[data-state=connecting]")).to_be_attached(timeout=60_000)

    tool(bob, "are you there?", "Reply")
    say(bob, "yes, @Ada!")
    expect(message(bob, "yes,").locator(".quote")).to_contain_text("are you there?")
    bob.context.set_offline(False)

    expect(message(ada, "yes,").locator(".quote")).to_contain_text("are you there?", timeout=30_000)
    expect(message(ada, "yes,").locator("[data-mention=us]")).to_have_text("@Ada")
    expect(message(ada, "yes,")).to_have_count(1)


def test_marks_are_set_by_keyboard_and_can_be_taken_back(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/marks")
    field = composer(ada)
    field.fill("bold")
    field.select_text()

    field.press("Control+b")
    expect(field).to_have_value("**bold**")
    field.press("Control+b")
    expect(field).to_have_value("bold")
    field.press("Control+e")
    expect(field).to_have_value("`bold`")
    field.press("Control+z")
    expect(field).to_have_value("bold")


def test_code_is_copied_and_never_widens_the_page(server: Server, new_page: NewPage) -> None:
    context = {**PHONE, "permissions": ["clipboard-read", "clipboard-write"]}
    page = join(new_page(**context), server, "Ada", "/r/code")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "code"})
    code = "x = '" + "long " * 100 + "'\nprint(x)"
    bob.rpc("send", channel="code", key="k", text=f"```python\n{code}\n```")

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert timeline(page).evaluate("box => box.scrollWidth <= box.clientWidth")
    bob.close()


def test_text_and_address_of_a_message_are_copied(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(permissions=["clipboard-read", "clipboard-write"]), server, "Ada", "/r/copies")
    say(ada, "**copy** me")
    tool(ada, "copy me", "Copy text")
    expect(ada.get_by_role("toolbar")).to_contain_text("Copied")
    assert ada.evaluate("navigator.clipboard.readText()") == "**copy** me"

    expect(ada.get_by_role("toolbar")).not_to_contain_text("Copied")  # after a moment
    tool(ada, "copy me", "Copy link")

    expect(ada.get_by_role("toolbar")).to_contain_text("Copied")
    assert ada.evaluate("navigator.clipboard.readText()") == server.url + "/r/copies#m1"


def test_all_that_the_toolbar_does_can_be_done_by_keyboard(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/by-keyboard")
    for text in ("one", "two", "three"):
        say(ada, text)
    expect(message(ada, "three")).to_have_attribute("data-state", "sent")

    composer(ada).press("Shift+Tab")
    expect(ada.get_by_role("button", name="Attach files")).to_be_focused()
    ada.keyboard.press("Shift+Tab")
    expect(message(ada, "three")).to_be_focused()
    ada.keyboard.press("ArrowUp")
    expect(message(ada, "two")).to_be_focused()
    expect(message(ada, "two").get_by_role("toolbar")).to_be_visible()
    ada.keyboard.press("Tab")
    expect(message(ada, "two").get_by_role("button", name="React")).to_be_focused()
    ada.keyboard.press("ArrowRight")
    expect(message(ada, "two").get_by_role("button", name="Reply")).to_be_focused()
    for _ in range(2):
        ada.keyboard.press("ArrowRight")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("menuitem", name="Reply")).to_be_focused()
    ada.keyboard.press("ArrowUp")
    expect(ada.get_by_role("menuitem", name="Delete")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("dialog").get_by_role("button", name="Delete")).to_be_focused()
    ada.keyboard.press("Enter")

    expect(message(ada, "Message deleted")).to_have_count(1)
    expect(message(ada, "two")).to_have_count(0)


def test_on_a_touch_screen_a_tap_brings_the_toolbar(server: Server, new_page: NewPage) -> None:
    page = join(new_page(**PHONE), server, "Ada", "/r/touch")
    say(page, "tap me")
    expect(message(page, "tap me")).to_have_attribute("data-state", "sent")

    message(page, "tap me").locator(".text").tap()
    page.get_by_role("button", name="React").tap()

    expect(page.get_by_role("dialog", name="Choose an emoji")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about(
    server: Server, new_page: NewPage, check_accessible: Check, colour_scheme: str
) -> None:
    room = f"axe-messages-{colour_scheme}"
    page = join(new_page(color_scheme=colour_scheme, reduced_motion="reduce"), server, "Ada", f"/r/{room}")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": room})
    user = next(
        who["user"]
        for who in bob.call(presence={"channel": room})["presence"]["presence"].values()
        if who["conn_info"]["name"] == "Ada"
    )
    first = bob.rpc("send", channel=room, key="1", text="hello @Ada", mentions={user: "Ada"})["offset"]
    bob.rpc("send", channel=room, key="2", text="```\n" + "code " * 100 + "\n```", reply=first)
    bob.rpc("react", channel=room, key="3", target=first, emoji="🎉")
    expect(message(page, "code").locator(".quote")).to_be_visible()

    message(page, "hello").hover()
    message(page, "hello").get_by_role("button", name="🎉 1: Bob").hover()
    check_accessible(page)
    page.get_by_role("button", name="More").click()
    check_accessible(page)
    page.keyboard.press("Escape")
    tool(page, "hello", "React")
    expect(page.get_by_label("Smileys & Emotion").first).to_be_visible()
    check_accessible(page)
    page.keyboard.press("Escape")
    tool(page, "hello", "Reply")
    composer(page).press_sequentially("hi :smi")
    expect(page.get_by_role("listbox")).to_be_visible()
    check_accessible(page)
    composer(page).fill("mine")
    composer(page).press("Enter")
    tool(page, "mine", "Delete")
    check_accessible(page)
    bob.close()
