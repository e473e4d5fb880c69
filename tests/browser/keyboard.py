"""Keys as fingers press them: the same place on the keyboard, whatever letter the layout has there."""

from playwright.sync_api import Page

LAYOUTS = {
    "en": {},
    "he": dict(zip("QWERTYUIOPASDFGHJKLZXCVBNM", "/'קראטוןםפשדגכעיחלךזסבהנמצ", strict=True)),
    "ru": dict(zip("QWERTYUIOPASDFGHJKLZXCVBNM", "йцукенгшщзфывапролдячсмить", strict=True)),
    "ar": dict(zip("QWERTYUIOPASDFGHJKLZXCVBNM", "ضصثقفغعهخحشسيبلاتنمئءؤرىةو", strict=True)),
}
NAMED = {"Enter": "\r", "Tab": "", "Escape": "", "Space": " "}
CODES = {"Enter": 13, "Tab": 9, "Escape": 27, "Space": 32}
SHIFT = 8  # as the browser's protocol counts modifiers


class Keyboard:
    """Presses by physical key and counts them, each once the page is read: before that it hears none."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.browser = page.context.new_cdp_session(page)
        self.layout = LAYOUTS[language]
        self.pressed = 0

    def press(self, *codes: str) -> None:
        for code in codes:
            self.page.wait_for_load_state("domcontentloaded")
            self.pressed += 1
            key = self._key(code)
            text = NAMED.get(code, key)
            number = CODES.get(code) or ord(code[-1])
            event = {"code": code, "key": key, "windowsVirtualKeyCode": number}
            down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
            self.browser.send("Input.dispatchKeyEvent", {**event, **down})
            self.browser.send("Input.dispatchKeyEvent", {**event, "type": "keyUp"})

    def press_with_shift(self, code: str) -> None:
        self.page.wait_for_load_state("domcontentloaded")
        self.pressed += 1
        event = {
            "code": code,
            "key": self._key(code),
            "windowsVirtualKeyCode": ord(code[-1]),
            "modifiers": SHIFT,
        }
        self.browser.send("Input.dispatchKeyEvent", {**event, "type": "rawKeyDown"})
        self.browser.send("Input.dispatchKeyEvent", {**event, "type": "keyUp"})

    def _key(self, code: str) -> str:
        if code in NAMED:
            return " " if code == "Space" else code
        if code.startswith("Digit"):
            return code[-1]
        return self.layout.get(code[-1], code[-1].lower())
