"""What the documents say of things that the code knows better."""

from __future__ import annotations

import re
from pathlib import Path

from chat import errors
from chat.errors import CloseReason, Error
from chat.settings import Settings

ROOT = Path(__file__).parents[1]


def test_the_readme_has_every_setting_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `CHAT_(\w+)` \| (\S+) \| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    settings = {name.upper(): field for name, field in Settings.model_fields.items()}

    assert {name: meaning for name, _, meaning in rows} == {name: field.description for name, field in settings.items()}
    assert all(str(settings[name].default) in {default, f"{default}.0"} for name, default, _ in rows)


def test_the_protocol_document_has_every_code_that_a_client_can_be_told() -> None:
    text = (ROOT / "web/PROTOCOL.md").read_text()
    codes = {told.code for told in vars(errors).values() if isinstance(told, Error | CloseReason)}

    assert {code for code in codes if str(code) not in text} == set()


def test_the_documents_refer_to_files_that_exist() -> None:
    documents = [*ROOT.glob("*.md"), ROOT / "web/PROTOCOL.md"]
    missing = [
        (document.name, target)
        for document in documents
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text())
        if not (document.parent / target).exists()
    ]

    assert documents
    assert missing == []
