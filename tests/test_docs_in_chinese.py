"""Each page of docs/zh/ says what the English one says: whoever changes a section looks at its Chinese."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ENGLISH = Path(__file__).parents[1] / "docs"
CHINESE = ENGLISH / "zh"
PAGES = sorted(path.name for path in CHINESE.glob("*.md"))
_MADE_FROM = re.compile(r"^<!-- en: ([0-9a-f]{8}) -->\n", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)]+)\)")
_OTHER_LANGUAGE = {"en": "[中文](zh/{})\n", "zh": "[English](../{})\n"}


def sections(text: str) -> list[str]:
    """A page's parts, each from its heading on; in a block of code a line that begins with '#' is none."""
    parts: list[list[str]] = []
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        if line.startswith("#") and not is_code:
            parts.append([])
        parts[-1].append(line)
    return ["\n".join(part).strip() + "\n" for part in parts]


def english(name: str) -> list[str]:
    """The sections of a page in docs/, without the line that leads to the Chinese one."""
    return sections((ENGLISH / name).read_text("utf-8").replace(_OTHER_LANGUAGE["en"].format(name), "", 1))


def chinese(name: str) -> list[str]:
    """The sections of a page in docs/zh/, without the line that leads to the English one."""
    return sections((CHINESE / name).read_text("utf-8").replace(_OTHER_LANGUAGE["zh"].format(name), "", 1))


def digest(section: str) -> str:
    """Of its words alone: lines may be broken elsewhere."""
    return hashlib.sha256(" ".join(section.split()).encode()).hexdigest()[:8]


def level(section: str) -> int:
    return len(section) - len(section.lstrip("#"))


def code(section: str) -> list[str]:
    """Its blocks without their comments, which are in the page's language."""
    return [re.sub(r"\s*# .*", "", block) for block in _CODE.findall(section)]


def rows(section: str) -> list[int]:
    """How many cells each row of its tables has."""
    lines = _CODE.sub("", section).splitlines()
    return [len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")]


def links(section: str) -> list[str]:
    """Where it leads to, as docs/ has it; a heading of a page is called otherwise in each language."""
    return sorted(re.sub(r"#.*", "", link).removeprefix("../") for link in _LINK.findall(section))


def spoken(section: str) -> list[str]:
    """What stands between backticks: names, commands and codes, which no language changes."""
    return sorted(set(re.findall(r"`([^`\n]+)`", " ".join(_CODE.sub("", section).split()))))


def places(text: str) -> set[str]:
    """What a page's headings are called in an address, as GitHub calls them."""
    headings = [section.partition("\n")[0].strip("# ").lower() for section in sections(text)]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_section_was_made_from_the_english_one_as_it_is(name: str) -> None:
    assert len(chinese(name)) == len(english(name))
    for said, original in zip(chinese(name), english(name), strict=True):
        heading, mark = original.partition("\n")[0], digest(original)
        told = f"{name}, {heading}: bring its Chinese up to date, then note <!-- en: {mark} -->"
        assert _MADE_FROM.findall(said) == [mark], told


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("what", [level, code, rows, links, spoken], ids=lambda what: what.__name__)
def test_what_no_language_changes_is_the_same(name: str, what: object) -> None:
    assert callable(what)
    for said, original in zip(chinese(name), english(name), strict=True):
        assert what(said) == what(original), original.partition("\n")[0]


@pytest.mark.parametrize("name", PAGES)
def test_each_page_leads_to_the_other_language(name: str) -> None:
    assert _OTHER_LANGUAGE["en"].format(name) in (ENGLISH / name).read_text("utf-8")
    assert _OTHER_LANGUAGE["zh"].format(name) in (CHINESE / name).read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_link_leads_to_the_chinese_page_where_there_is_one(name: str) -> None:
    text = (CHINESE / name).read_text("utf-8").replace(_OTHER_LANGUAGE["zh"].format(name), "", 1)
    for link in _LINK.findall(text):
        page, _, place = link.partition("#")
        if "://" not in page:
            target = CHINESE / (page or name)
            assert target.is_file(), link
            assert not page.startswith("../") or page.removeprefix("../") not in PAGES, link
            assert not place or place in places(target.read_text("utf-8")), link


def test_the_chinese_readme_says_what_the_english_one_says() -> None:
    english_one = (ENGLISH.parent / "README.md").read_text("utf-8").replace("[中文](README.zh.md)\n", "", 1)
    path = ENGLISH.parent / "README.zh.md"
    chinese_one = path.read_text("utf-8").replace("[English](README.md)\n", "", 1)
    led_to = set(re.findall(r"\]\(docs/zh/([^)]+)\)", chinese_one))
    assert led_to == set(PAGES)
    same_links = chinese_one.replace("](docs/zh/", "](docs/")
    for said, original in zip(sections(same_links), sections(english_one), strict=True):
        heading, mark = original.partition("\n")[0], digest(original)
        told = f"README.md, {heading}: bring its Chinese up to date, then note <!-- en: {mark} -->"
        assert _MADE_FROM.findall(said) == [mark], told
        for what in (level, code, rows, links, spoken):
            assert what(said) == what(original), heading
