/* The incoming caller. Typing in the search box shows who fits (htmx fills #matches); arrows walk the list,
   Enter opens the caller card in a window over the screen, Escape brings back that screen, the field that had
   the focus and whatever was typed there: the screen below was never left.
   On the card's own page Escape goes back in the history, where the browser kept the draft. */

const form = document.querySelector("[data-caller-search]");
const dialog = document.getElementById("caller-window");
let before = null;

const list = () => document.getElementById("matches");
/* What was typed in the window about whom and not sent: Escape may have been pressed by mistake. */
const drafts = new Map();
let sent = [];
const draftOf = (field) => `${field.form.action} ${field.name}`;

function bringBack(body) {
  body.querySelectorAll("[data-draft]").forEach((field) => {
    const kept = drafts.get(draftOf(field));
    if (!kept || field.value) return;
    field.value = kept;
    field.closest("details")?.setAttribute("open", "");
  });
}

const links = () => [...(list()?.querySelectorAll("[data-matches] a") ?? [])];

/* Whoever types on and presses Enter at once must not get the first of an older list. */
const isCurrent = (input) => links().length > 0 && list().querySelector("[data-matches]").dataset.q === input.value.trim();

function closeMatches() {
  if (list()) list().replaceChildren();
}

function backToScreen() {
  closeMatches();
  const input = form.querySelector("input[type=search]");
  input.value = input.defaultValue;
  if (before?.isConnected) before.focus();
  else input.blur();
}

function walk(step) {
  const all = links();
  const next = all.indexOf(document.activeElement) + step;
  if (next < 0) form.querySelector("input[type=search]").focus();
  else all[Math.min(next, all.length - 1)]?.focus();
}

function onKey(event) {
  const inList = event.target.matches("a");
  const step = { ArrowDown: 1, ArrowUp: -1, ...(inList && { KeyJ: 1, KeyK: -1 }) }[globalThis.ownKeys.meant(event)];
  if (step && links().length) walk(step);
  else if (event.key === "Escape") backToScreen();
  else if (event.key === "Enter" && !inList && !event.isComposing && isCurrent(event.target)) links()[0].click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

if (form && dialog) {
  form.addEventListener("focusin", (event) => {
    if (event.relatedTarget && !form.contains(event.relatedTarget)) before = event.relatedTarget;
  });
  form.addEventListener("keydown", onKey);
  dialog.addEventListener("close", backToScreen);
  document.addEventListener("htmx:after:swap", () => {
    const body = document.getElementById("caller-window-body");
    if (body?.querySelector(".notice-success")) sent.forEach((key) => drafts.delete(key));
    if (!body?.childElementCount || dialog.open) return;
    closeMatches();
    bringBack(body);
    dialog.showModal();
    body.querySelector("h2")?.focus();
  });
  dialog.addEventListener("input", (event) => {
    if (event.target.matches("[data-draft]")) drafts.set(draftOf(event.target), event.target.value);
  });
  dialog.addEventListener("submit", (event) => {
    sent = [...event.target.querySelectorAll("[data-draft]")].map(draftOf);
  });
  dialog.addEventListener("close", () => document.getElementById("caller-window-body").replaceChildren());
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-caller-close]") || event.target === dialog) dialog.close();
    else if (!form.contains(event.target) && !dialog.contains(event.target)) closeMatches();
  });
}

const back = document.querySelector("[data-caller-back]");
if (back) {
  const cameFromHere = document.referrer.startsWith(`${location.origin}/`);
  const leave = (event) => {
    if (!cameFromHere || history.length < 2) return false;
    event.preventDefault();
    history.back();
    return true;
  };
  back.addEventListener("click", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.target.matches("input, textarea, select")) return;
    if (!leave(event)) back.click();
  });
}
