"""Text of users stays text: a corpus of what has run as a script elsewhere, in every place where somebody can write.

In a real browser. That nothing opened a dialog, and that the content security policy had nothing to stop, every test
with a page checks (conftest); here it is also looked for in the page itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from chat.limits import MAX_EMOJI_CHARS
from chat.names import MAX_NAME_CHARS
from tests.e2e.application import APPLICATION, log_in
from tests.server import Member, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser

KEY = "a-key-for-the-tests"

CORPUS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<style>@import 'javascript:alert(1)'</style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<form><button formaction=javascript:alert(1)>x</button></form>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href='data:text/css,*{display:none}'>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "</title><script>alert(1)</script>",
    "${alert(1)}{{constructor.constructor('alert(1)')()}}",
    "[x](javascript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    "![x](x onerror=alert(1))",
    "<javascript:alert(1)>",
    "[x](https://example.com '\"><img src=x onerror=alert(1)>')",
    "[x]: javascript:alert(1)\n\n[x]",
    "```<script>\nalert(1)\n```",
    "`<img src=x onerror=alert(1)>`",
    'https://example.com/"onmouseover=alert(1)//',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<img/src=`x`onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<div id=conversation><div id=app name=createElement>",
    "__proto__",
    "constructor",
)
PLAIN = tuple(text for text in CORPUS if "\n" not in text)

DANGEROUS = """() => {
    const found = [...document.querySelectorAll('main script, main iframe, main img, main object, main embed,'
        + ' main form[action], [srcdoc], [formaction], base, meta[http-equiv=refresh]')].map(e => e.outerHTML);
    for (const element of document.querySelectorAll('*')) {
        if (element.matches('link[rel=icon]')) continue;  // a badge, drawn by the page
        for (const { name, value } of element.attributes) {
            if (/^on/i.test(name)) found.push(element.outerHTML);
            if (['href', 'src', 'action'].includes(name) && /^\\s*(javascript|data|vbscript):/i.test(value))
                found.push(element.outerHTML);
        }
    }
    return found;
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server that takes everything as fast as it comes, and publications by its API."""
    with running(CHAT_API_KEY=KEY, CHAT_TOKEN_SECRET=SECRET, CHAT_RATE_LIMIT="off") as server:
        yield server


def enter(page: Page, server: Server, name: str, path: str) -> Page:
    page.goto(server.url + path)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("[data-state=connected]")).to_be_attached()
    return page


def check(page: Page) -> None:
    """Wait until what came is shown, and look for what could run."""
    page.evaluate("() => new Promise(resolve => setTimeout(() => requestAnimationFrame(resolve), 50))")
    assert page.evaluate(DANGEROUS) == []
    assert not page.evaluate("'createElement' in (document.app ?? {})")


def test_in_messages_and_their_edits(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/messages")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "messages"})

    for number, text in enumerate(CORPUS):
        bob.rpc("send", channel="messages", key=f"sent-{number}", text=text)
        edited = bob.rpc("send", channel="messages", key=f"edited-{number}", text="before")
        bob.rpc("edit", channel="messages", key=f"edit-{number}", target=edited["offset"], text=text)
    bob.rpc("send", channel="messages", key="last", text="the last one")

    expect(page.get_by_role("log").get_by_text("the last one")).to_be_visible()
    expect(page.get_by_role("log").get_by_text("<script>alert(1)</script>", exact=True).first).to_be_visible()
    check(page)
    bob.close()


def test_in_mentions_and_quotes(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/mentions")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "mentions"})

    for number, text in enumerate(PLAIN):
        quoted = bob.rpc("send", channel="mentions", key=f"quoted-{number}", text=text)["offset"]
        mentions = {text: text} if len(text) <= MAX_NAME_CHARS else {}
        answer = f"hello @{text}, and hello"
        bob.rpc("send", channel="mentions", key=f"{number}", text=answer, reply=quoted, mentions=mentions)
    bob.rpc("send", channel="mentions", key="last", text="the last one")

    log = page.get_by_role("log")
    expect(log.get_by_text("the last one")).to_be_visible()
    expect(log.locator("[data-mention]").get_by_text("@<script>alert(1)</script>", exact=True)).to_be_visible()
    expect(log.locator(".quote").get_by_text("<script>alert(1)</script>", exact=True)).to_be_visible()
    check(page)
    bob.close()


def test_in_what_one_writes_oneself(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/mine")
    box = page.get_by_role("textbox", name="Message")

    for text in PLAIN:
        box.fill(text)
        box.press("Enter")

    expect(page.locator("[data-state=pending]")).to_have_count(0)
    expect(page.get_by_role("log").get_by_text("<script>alert(1)</script>", exact=True).first).to_be_visible()
    check(page)


def test_in_names(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/names")
    names = [text for text in PLAIN if len(text) <= MAX_NAME_CHARS]
    members = []

    for number, name in enumerate(names):
        member = Member(server, name)
        member.call(subscribe={"channel": "names"})
        member.rpc("typing", channel="names")
        member.rpc("send", channel="names", key=f"{number}", text=f"said by {number}")
        members.append(member)

    expect(page.get_by_role("list", name="People").get_by_role("listitem")).to_have_count(len(names) + 1)
    expect(page.get_by_role("log").get_by_text(f"said by {len(names) - 1}", exact=True)).to_be_visible()
    expect(page.get_by_role("log").get_by_text("<script>alert(1)</script>", exact=True)).to_be_visible()
    check(page)
    for member in members:
        member.close()


def test_in_the_name_that_one_gives_oneself(server: Server, new_page: NewPage) -> None:
    for number, name in enumerate(text for text in PLAIN if len(text) <= MAX_NAME_CHARS):
        page = enter(new_page(), server, name, f"/r/own-{number}")
        check(page)
        page.context.close()


def test_in_rooms_and_addresses(server: Server, new_page: NewPage) -> None:
    bob = Member(server, "Bob")
    for room in PLAIN:
        bob.call(subscribe={"channel": room})  # `$…` is refused
    page = enter(new_page(), server, "Ada", "/r/tea")
    expect(page.get_by_role("navigation", name="Rooms").get_by_role("link", name="tea")).to_be_visible()
    check(page)

    for room in PLAIN:
        page.goto(f"{server.url}/r/{quote(room, safe='')}#{room}")
        check(page)
    bob.close()


def test_in_why_somebody_was_put_out(server: Server, new_page: NewPage) -> None:
    moderator = Member(server, token=token(sub="mod", meta={"role": "moderator"}))
    moderator.call(subscribe={"channel": "moderated"})

    for number, text in enumerate(PLAIN[:8]):
        page = enter(new_page(), server, f"Ada {number}", "/r/moderated")
        present = moderator.call(presence={"channel": "moderated"})["presence"]["presence"]
        user = next(who["user"] for who in present.values() if who["user"] != "mod")
        moderator.rpc("kick", channel="moderated", user=user, reason=text)

        expect(page.get_by_role("alert")).to_contain_text(f"(kicked: {text})")
        check(page)
        page.context.close()
    moderator.close()


def test_in_topics(server: Server, new_page: NewPage) -> None:
    ada = Member(server, token=token(sub="ada", meta={"role": "moderator"}))
    for number, text in enumerate(PLAIN):
        ada.call(subscribe={"channel": f"topic-{number}"})
        ada.rpc("topic", channel=f"topic-{number}", topic=text)
    page = enter(new_page(), server, "Eve", "/r/topic-0")

    expect(page.locator(".room-header")).to_contain_text(PLAIN[0])
    for text in PLAIN:
        ada.rpc("topic", channel="topic-0", topic=text)
        expect(page.locator(".room-header .topic")).to_have_text(text)
        check(page)
    page.get_by_role("button", name="Find or open a room").click()
    page.get_by_label("Find, open or create a room").fill("script")
    expect(page.get_by_role("list", name="Rooms found").get_by_text(CORPUS[3], exact=True)).to_be_visible()
    check(page)
    ada.close()


def test_in_names_of_conversations_invitations_and_lists_of_people(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/called")
    user = page.evaluate("sessionStorage.getItem('parley.guest')").split(".")[0]
    names = [text for text in PLAIN if len(text) <= MAX_NAME_CHARS]
    members = []
    for number, name in enumerate(names):
        member = Member(server, name)
        channel = "dm#" + ",".join(sorted([user, member.connected["data"]["user"]]))
        member.call(subscribe={"channel": channel})
        member.rpc("send", channel=channel, key="k", text=name)
        member.rpc("create", channel=f"$invited-{number}")
        member.rpc("invite", channel=f"$invited-{number}", user=user)
        members.append(member)

    conversations = page.get_by_role("list", name="Direct messages", exact=True).get_by_role("listitem")
    expect(conversations).to_have_count(len(names))
    expect(page.get_by_role("region", name="Notices")).to_contain_text(names[-1])
    check(page)
    for button in ("New direct message", "Go to", "Search messages"):
        page.get_by_role("button", name=button).click()
        check(page)
        page.keyboard.press("Escape")
    conversations.get_by_text(CORPUS[0], exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(CORPUS[0])
    expect(page).to_have_title(re.compile(re.escape(f"{CORPUS[0]} · Parley")))
    check(page)
    for member in members:
        member.close()


def test_in_results_of_a_search(server: Server, new_page: NewPage) -> None:
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "found"})
    for number, text in enumerate(CORPUS):
        bob.rpc("send", channel="found", key=f"{number}", text=f"needle {text}")
    page = enter(new_page(), server, "Ada", "/r/found")

    page.keyboard.press("Control+Shift+F")
    for query in ("needle", *PLAIN):
        page.get_by_role("searchbox").fill(query)
        expect(page.get_by_role("status").get_by_text("Searching")).to_have_count(0)
        check(page)
    page.get_by_role("searchbox").fill("script")
    expect(page.locator(".hit mark").first).to_have_text("script")
    expect(page.locator(".hit").get_by_text("<script>alert(1)</script>").first).to_be_visible()
    check(page)
    bob.close()


def test_in_names_of_files(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/files")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "files"})
    key = bob.rpc("files", channel="files")["key"]

    for number, text in enumerate(PLAIN):
        brought = httpx.post(f"{server.url}/files", params={"key": key, "name": text}, content=text.encode())
        bob.rpc("send", channel="files", key=f"{number}", text="", files=[brought.raise_for_status().json()["id"]])
        forged = {"id": "AAAA", "name": text, "type": text, "size": 1, "width": text, "height": text, "thumb": text}
        files = [forged, {**forged, "id": text}, {**forged, "name": {"__html": text}}, text]
        bob.call(publish={"channel": "files", "data": {"type": "message", "text": "", "files": files}})
    bob.rpc("send", channel="files", key="last", text="the last one")

    log = page.get_by_role("log")
    expect(log.get_by_text("the last one")).to_be_visible()
    expect(log.get_by_text("<img src=x onerror=alert(1)>", exact=True).first).to_be_visible()
    check(page)
    bob.close()


def test_in_why_moderators_did_what(new_page: NewPage) -> None:
    with running(**APPLICATION, CHAT_RATE_LIMIT="off") as server:
        moderator = Member(server, token=token(sub="mod", meta={"role": "moderator"}))
        for number, text in enumerate(PLAIN):
            moderator.rpc("mute", channel="ruled", user=f"user-{number}{text}", reason=text)
        page = log_in(new_page(), server, "Mo", "moderator", "ruled")

        page.locator(".room-header").get_by_role("button", name="Menu of ruled").click()
        page.get_by_role("menuitem", name="Bans and record…").click()
        expect(page.get_by_role("list", name="Banned and muted").get_by_role("listitem")).to_have_count(len(PLAIN))
        expect(page.get_by_role("list", name="What moderators did").get_by_role("listitem")).to_have_count(len(PLAIN))
        check(page)
        moderator.close()


def test_in_reactions(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/reactions")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "reactions"})
    target = bob.rpc("send", channel="reactions", key="k", text="react to me")["offset"]
    emoji = [text.replace(" ", "/") for text in PLAIN if len(text) <= MAX_EMOJI_CHARS]

    for number, text in enumerate(emoji):
        bob.rpc("react", channel="reactions", key=f"{number}", target=target, emoji=text)
    bob.rpc("send", channel="reactions", key="last", text="the last one")

    expect(page.get_by_role("log").get_by_text("the last one")).to_be_visible()
    expect(page.get_by_role("log").get_by_text("<script>alert(1)</script>", exact=True).first).to_be_visible()
    check(page)
    bob.close()


def shapes(text: str) -> list[Any]:
    """Return data in which a text is where a page may look for one."""
    return [
        text,
        {"type": "message", "text": text, "name": text},
        {"type": "message", "text": {"__html": text}, "name": {"toString": text}},
        {"type": text, "text": text},
        {"type": "message", "text": text, "key": text, "time": text},
        {text: text},
        [text, [text]],
        {"type": "reaction", "target": 1, "emoji": text, "on": True},
        {"type": "edit", "target": 1, "text": text},
    ]


def test_in_data_of_any_shape_from_the_server_api_and_from_clients(server: Server, new_page: NewPage) -> None:
    page = enter(new_page(), server, "Ada", "/r/data")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "data"})
    with httpx.Client(base_url=server.url, headers={"X-API-Key": KEY}) as api:
        for text in CORPUS:
            for data in shapes(text):
                api.post("/api/publish", json={"channel": "data", "data": data}).raise_for_status()
            for data in shapes(text)[:7]:
                bob.call(publish={"channel": "data", "data": data})
        api.post("/api/publish", json={"channel": "data", "data": {"type": "message", "text": "the last one"}})

    expect(page.get_by_role("log").get_by_text("the last one")).to_be_visible()
    check(page)
    bob.close()
