/* Keyboard. data-key="KeyC" or "Digit1" on any link, button or field presses or focuses it, by physical key,
   so Hebrew, Russian and Arabic layouts work. Rules:
   - single keys do nothing while the focus is in a text field, with a modifier, or when turned off (user menu);
   - inside an element with data-key-scope its own keys win, and keys of other scopes are not heard;
   - nor are those of a part that waits for its content ([aria-busy]);
   - data-then="#book" on a button moves the focus there, so that the next digit is that scope's;
   - data-key-leads on a button that cannot be taken back: its key brings the focus there, of several to the next one,
     and Enter presses it;
   - J and K walk the rows of [data-rows]; Escape leaves a field, a menu or a scope;
   - whoever has chosen other keys presses those, and reads them in every <kbd>: data-own-keys on the body says
     which key of ours is which other one. The templates and all other scripts speak of our keys alone. */

const OFF = `keys-off-${document.querySelector("[data-lock-user]")?.dataset.lockUser ?? ""}`;  // each user of a shared desk has her own
const TEXT_FIELDS = 'input:not([type="radio"], [type="checkbox"], [type="submit"], [type="button"]), textarea, select, [contenteditable]';

const CONTROLS = "a, button, summary, input, select, textarea, [role=button]";

const OWN = JSON.parse(document.body.dataset.ownKeys || "{}");
const OURS = Object.fromEntries(Object.entries(OWN).map(([ours, { own }]) => [own, ours]));

/* Our key that a press means; nothing where that key was given another place. */
function meant(event) {
  const code = event.code.replace("Numpad", "Digit");
  return OURS[code] ?? (code in OWN ? "" : code);
}

/* What a key of ours, as "KeyC" or "Shift+KeyD", is called on this user's keyboard. */
function named(key) {
  if (key === "Shift+Slash" && !OWN.Slash) return "?";
  const [code, shift] = key.startsWith("Shift+") ? [key.slice(6), "⇧"] : [key, ""];
  const signs = { Slash: "/", Period: ".", Space: "␣", Escape: "Esc", ArrowLeft: "←", ArrowRight: "→" };
  return shift + (OWN[code]?.is ?? signs[code] ?? code.replace(/^(Key|Digit)/, ""));
}

function showOwn() {
  const byName = Object.fromEntries(Object.values(OWN).map(({ was, is }) => [was, is]));
  if (byName["/"]) byName["?"] = `⇧${byName["/"]}`;
  document.querySelectorAll("kbd:not([data-own])").forEach((kbd) => {
    kbd.dataset.own = "";
    const [, shift, name] = kbd.textContent.trim().match(/^(⇧?)(.*)$/);
    if (name in byName) kbd.textContent = shift + byName[name];
  });
  document.querySelectorAll("[aria-keyshortcuts]").forEach((element) => {
    if (element.dataset.key) element.setAttribute("aria-keyshortcuts", named(element.dataset.key));
  });
}

const keysAreOff = () => localStorage.getItem(OFF) === "1";

/* In a scope of its own, or in a part that waits. What opens a scope stands before it. */
function isInside(element) {
  const opens = element.matches("details[data-key-scope] > summary");
  return (opens ? element.parentElement.parentElement : element).closest("[data-key-scope], [aria-busy]") !== null;
}

function findByKey(code) {
  const over = document.querySelector("dialog[open]");  // what lies under a window is not pressed
  if (over) return findIn(over, code);
  const scope = document.activeElement?.closest("[data-key-scope]");
  const wanted = `[data-key="${code}"]:not(:disabled)`;
  const inScope = scope?.querySelector(wanted);
  if (inScope) return inScope;
  return [...document.querySelectorAll(wanted)].find(
    (element) => !isInside(element) && element.checkVisibility(),
  );
}

function findIn(part, code) {
  const scope = document.activeElement?.closest("[data-key-scope]") ?? part;
  const wanted = `[data-key="${code}"]:not(:disabled)`;
  return scope.querySelector(wanted) ?? [...part.querySelectorAll(wanted)].find((element) => element.checkVisibility());
}

function walkRows(step) {
  if (document.querySelector("dialog[open]")) return;
  const rows = [...document.querySelectorAll("[data-rows] a:not([href^='tel:']), [data-rows] [data-row]")].filter((row) => row.checkVisibility());
  if (!rows.length) return;
  const focused = rows.indexOf(document.activeElement);
  const current = focused >= 0 ? focused : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = rows[Math.min(Math.max(current + step, 0), rows.length - 1)];
  next.focus();
  next.click();
}

function leadOn(key) {
  const all = [...document.querySelectorAll(`[data-key-leads][data-key="${key}"]`)].filter((each) => each.checkVisibility());
  all[(all.indexOf(document.activeElement) + 1) % all.length].focus();
}

function press(element) {
  if (element.matches("[data-key-leads]")) return leadOn(element.dataset.key);
  element.focus();
  if (!element.matches(TEXT_FIELDS)) element.click();
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const inText = event.target.matches?.(TEXT_FIELDS);
  if (event.key === "Escape") {
    if (inText || event.target.closest?.("[data-key-scope]")) event.target.blur();
    else if (!document.querySelector("details.menu[open]")) findByKey("Escape")?.click();
    return;
  }
  if (inText || keysAreOff()) return;
  if (event.code === "Space" && event.target.closest?.(CONTROLS)) return; // it presses what has the focus
  const code = meant(event);
  if (!code) return;
  if (code === "KeyJ" || code === "KeyK") {
    event.preventDefault();
    walkRows(code === "KeyJ" ? 1 : -1);
    return;
  }
  const element = findByKey(event.shiftKey ? `Shift+${code}` : code);
  if (!element) return;
  event.preventDefault();
  press(element);
}

function showSwitch(button) {
  button.setAttribute("aria-pressed", String(!keysAreOff()));
}

/* Whether its key is heard now, where the focus is. */
const canBePressed = (element) => findByKey(element.dataset.key) === element;

globalThis.ownKeys = { meant, named, canBePressed, areOff: keysAreOff };
document.addEventListener("keydown", onKey);
document.addEventListener("htmx:after:swap", showOwn);
document.addEventListener("click", (event) => {
  const then = event.target.closest("[data-then]");
  if (then) document.querySelector(then.dataset.then)?.querySelector("a, button, input:not([type=hidden]), select")?.focus();
  const toggle = event.target.closest("[data-keys-switch]");
  if (!toggle) return;
  localStorage.setItem(OFF, keysAreOff() ? "0" : "1");
  showSwitch(toggle);
});
document.querySelectorAll("[data-keys-switch]").forEach(showSwitch);
showOwn();
