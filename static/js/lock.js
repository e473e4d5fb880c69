/* The screen covers itself after idle minutes, or by the button in the bar (key L): what was typed is put aside
   in this tab under its author's name, every name leaves the page, and the locked page takes its place. The
   server knows the time too, so without this script the next request finds the screen locked.
   Tabs tell each other through localStorage: "lock" holds "locked" or the key of the user who works. */

const bar = document.querySelector("[data-lock]");
const user = bar.dataset.lockUser;
const IDLE = Number(bar.dataset.lockIdle) * 1000;
const TELL_EVERY = 15_000;
const FIELDS = "textarea, select, input:not([type=hidden], [type=password], [type=file], [type=search], [type=submit], [type=button])";
const page = location.pathname + location.search;
const DRAFT = `aside:${user}:${page}`;
const csrf = bar.querySelector("[name=csrfmiddlewaretoken]").value;
let isCovered = false;
let isUntold = false;
let toldAt = Date.now();

const send = (address, body) => fetch(address, { method: "POST", body: new URLSearchParams(body), credentials: "same-origin", headers: { "X-CSRFToken": csrf } });
const idleFor = () => Date.now() - Number(localStorage.getItem("active-at") ?? 0);

/* Drafts */
function isTyped(field) {
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (!field.matches("select")) return field.value !== field.defaultValue;
  const given = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(given, 0);
}

const fieldsOf = () => [...document.querySelectorAll(FIELDS)].filter((field) => field.id || field.name);

function nameOf(field, all) {
  const alike = (other) => other.name === field.name && other.form?.action === field.form?.action;
  return field.id || `${field.form?.action ?? ""} ${field.name} ${all.filter(alike).indexOf(field)}`;
}

function putAside() {
  const all = fieldsOf();
  const typed = all.filter(isTyped).map((field) => [nameOf(field, all), field.matches("[type=checkbox], [type=radio]") ? field.checked : field.value]);
  sessionStorage.setItem(`spot:${user}`, page + location.hash);
  const focus = all.includes(document.activeElement) ? nameOf(document.activeElement, all) : "";
  if (typed.length || focus) sessionStorage.setItem(DRAFT, JSON.stringify({ typed, focus, top: window.scrollY }));
}

function fill(field, value) {
  if (typeof value === "boolean") field.checked = value;
  else field.value = value;
  for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/* What has no field on the page yet (a part that is loaded later) stays aside until it comes. */
function bringBack() {
  const aside = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
  if (!aside) return;
  const all = fieldsOf();
  const byName = new Map(all.map((field) => [nameOf(field, all), field]));
  aside.typed.filter(([name]) => byName.has(name)).forEach(([name, value]) => fill(byName.get(name), value));
  const rest = aside.typed.filter(([name]) => !byName.has(name));
  window.scrollTo(0, aside.top);
  byName.get(aside.focus)?.focus();
  if (rest.length) sessionStorage.setItem(DRAFT, JSON.stringify({ ...aside, typed: rest, focus: "" }));
  else sessionStorage.removeItem(DRAFT);
}

/* The cover */
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function cover() {
  if (isCovered) return;
  isCovered = true;
  putAside();
  localStorage.setItem("lock", "locked");
  document.title = bar.dataset.lockWords;
  const cover = Object.assign(document.createElement("p"), { className: "alone", textContent: bar.dataset.lockWords });
  document.body.replaceChildren(cover);
  while (!(await send(bar.action, { spot: page + location.hash }).catch(() => null))) await pause(2000);
  location.replace(bar.action);
}

function look() {
  if (isUntold && Date.now() - toldAt > TELL_EVERY) {
    isUntold = false;
    toldAt = Date.now();
    send(bar.dataset.lockHere, {}).then((answer) => answer.headers.has("X-Locked") && cover()).catch(() => {});
  }
  if (idleFor() >= IDLE) cover();
}

function note() {
  if (isCovered || idleFor() >= IDLE) return;
  localStorage.setItem("active-at", Date.now());
  isUntold = true;
}

localStorage.setItem("lock", user);
localStorage.setItem("active-at", Date.now());
bringBack();
bar.addEventListener("submit", (event) => {
  event.preventDefault();
  cover();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-logout]")) sessionStorage.clear();
});
["keydown", "pointerdown", "pointermove", "wheel", "input"].forEach((name) => document.addEventListener(name, note, { passive: true }));
document.addEventListener("htmx:after:swap", bringBack);
document.addEventListener("htmx:after:request", (event) => event.detail.ctx.response?.headers?.has?.("X-Locked") && cover());
document.addEventListener("visibilitychange", look);
window.addEventListener("storage", (event) => event.key === "lock" && event.newValue === "locked" && cover());
window.addEventListener("pageshow", (event) => event.persisted && localStorage.getItem("lock") !== user && cover());
setInterval(look, 1000);
