"""Every page of the product in four languages: nothing overflows, nothing is left in English, axe finds nothing.

Pictures of all of them are written to the folder SCREENSHOTS, if it is set: they are there to be looked at.
"""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, LANGUAGES, DemoServer, Opener, resize

OLD_PHONE = {"width": 320, "height": 640}
LATIN = re.compile("[A-Za-z][A-Za-z'-]+")
ADDRESS = re.compile(r"https?://\S+")
SAME_EVERYWHERE = {
    "R-",
    "SMS",
    "WhatsApp",
    "Telegram",
    "CSV",
    "XLSX",
    "Clinic",
    "Journey",
    "English",
    "Alon",
    "STOP",
    "START",
}
SAME_EVERYWHERE |= {
    "name",
    "mail",
    "com",
    "e-mail",
}  # an example of an address; Russian writes the last one so
# What the people of the demo typed, where it stands in a list of choices or inside a sentence without <bdi>.
TYPED = {
    "Dr",
    "Cohen",
    "Shaham",
    "Dan",
    "Bar",
    "Rina",
    "Azulay",
    "Tal",
    "Yael",
    "Admin",
    "Panoramic",
    "image",
    "Room",
}
STILL_FETCHED = "[aria-busy=true], .htmx-request"
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const isOurs = !parent.closest("script, noscript, style, bdi, kbd, body [lang], textarea");
    if (isOurs) found.push(walker.currentNode.textContent);
  }
  document.querySelectorAll("[placeholder], [aria-label], [title], [alt]").forEach((element) => {
    if (element.closest("[aria-hidden=true]")) return;  // a picture beside its list; its titles are names
    for (const name of ["placeholder", "aria-label", "title", "alt"]) found.push(element.getAttribute(name) || "");
  });
  const names = new Set([...document.querySelectorAll("bdi")].map((element) => element.textContent.trim()));
  return found.map((text) => text.replace(/\\s+/g, " ").trim()).filter((text) => text && !names.has(text));
}"""
TOO_WIDE = """() => {
  const seen = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= seen + 1) return [];
  return [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && (box.right > seen + 1 || box.left < -1);
  }).slice(0, 5).map((element) => element.outerHTML.slice(0, 160));
}"""


def english_in(texts: list[str]) -> set[str]:
    """Latin words on a page in another script; what people are called and typed stands in <bdi>."""
    return {text for text in texts if set(LATIN.findall(ADDRESS.sub("", text))) - SAME_EVERYWHERE - TYPED}


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_speaks_one_language_and_is_accessible(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    logins = sorted({page["login"] for page in demo.pages()})
    trouble: list[str] = []
    for login in logins:
        page = open_page("/login/", login=login, language=language)
        for each in demo.pages():
            if each["login"] != login:
                continue
            separator = "&" if "?" in each["path"] else "?"
            path = f"{each['path']}{separator}lang={language}" if not login else each["path"]
            page.goto(path)
            if "who" in each and page.locator("[name=who]").count():
                page.fill("[name=who]", each["who"])
                with page.expect_navigation():
                    page.press("[name=who]", "Enter")
            expect(page.locator(STILL_FETCHED)).to_have_count(0)
            for size in (DESK, OLD_PHONE):
                resize(page, size)
                name = f"{each['name']} {language} {size['width']}"
                picture(page, name.replace(" ", "-"))
                trouble += [f"{name}: too wide: {element}" for element in page.evaluate(TOO_WIDE)]
            left = english_in(page.evaluate(TEXTS)) if language != "en" else set()
            trouble += [f"{name}: not translated: {text!r}" for text in sorted(left)]
            trouble += [f"{name}: {problem}" for problem in axe_problems(page)]
    assert not trouble, "\n".join(trouble)


def axe_problems(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found
        for node in rule["nodes"][:2]
    ]
