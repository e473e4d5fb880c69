/* What Today adds: the list stays as it is while rows are opened beside it; drafts that outlive a power cut; the
   lease that activity renews; the focus inside an outcome that asks for something. Without it every form still works
   and every row is a link.
   data-serve   on the panel: the step to open at once, for nobody chose one
   data-draft   on a field: kept in this browser for this user and item until its form or the item is saved */

const desk = document.querySelector("[data-user]");
const panel = document.getElementById("panel");
const RENEW_EVERY = 30_000;
const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
const detail = () => panel.querySelector("[data-item]");

/* Drafts */
const draftsOf = (item) => `draft:${desk.dataset.user}:${item}:`;
const keyOf = (field) => `${draftsOf(detail().dataset.item)}${field.id}`;

function forget(item) {
  Object.keys(localStorage)
    .filter((key) => key.startsWith(draftsOf(item)))
    .forEach((key) => localStorage.removeItem(key));
}

function bringBack() {
  panel.querySelectorAll("[data-draft]").forEach((field) => {
    const kept = localStorage.getItem(keyOf(field));
    if (!kept || field.value) return;
    field.value = kept;
    const asks = field.closest("details");
    if (!asks || asks.open) return;
    asks.dataset.byItself = "";
    asks.open = true;
  });
}

const draftsIn = (form) => [...form.querySelectorAll("[data-draft]")].map(keyOf);
const drop = (drafts) => drafts.forEach((key) => localStorage.removeItem(key));

/* What is sent is a draft until it is saved; where no script waits for that, the page that answers shows again what
   it refuses. */
function onSubmit(event) {
  const form = event.target;
  if (!panel.contains(form)) return;
  const drafts = draftsIn(form);
  if (form.matches("[data-saves]")) form.addEventListener("saved", () => drop(drafts), { once: true });
  else drop(drafts);
}

/* The lease */
let renewedAt = Date.now();

function renew() {
  if (!detail() || Date.now() - renewedAt < RENEW_EVERY) return;
  renewedAt = Date.now();
  fetch(detail().dataset.keep, { method: "POST", headers: { "X-CSRFToken": token() }, credentials: "same-origin" }).catch(() => {});
}

/* Outcomes that ask; what opened by itself leaves the focus, and so the keys, where they were. The browser tells of
   the opening a moment later: who is in a field by then stays there. */
function onToggle(event) {
  const byItself = "byItself" in event.target.dataset;
  delete event.target.dataset.byItself;
  if (!event.target.open || byItself || event.target.querySelector("form :focus")) return;
  event.target.querySelector("form :is(.chips button, input:not([type=hidden]), select)")?.focus();
}

/* Rows: the list is read again after a save and on R, not because a row of it was opened. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

/* Until the chosen patient is here, no key may act on the one before: keys.js passes over what is busy. */
function serve(step) {
  document.querySelectorAll(".queue-row[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
  document.querySelector(`.queue-row[href="?item=${step}"]`)?.setAttribute("aria-current", "true");
  panel.setAttribute("aria-busy", "true");
  htmx.ajax("GET", panel.dataset.path.replace(NOBODY, step), { source: panel, target: panel, swap: "innerHTML" });
}

function onRow(event) {
  const row = event.target.closest("a.queue-row");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  desk.classList.add("is-open");
  history.pushState(null, "", row.href);
  serve(new URL(row.href).searchParams.get("item"));
}

/* What the live part is asked about: the rows as they stand here. */
const marks = () => [...document.querySelectorAll("[data-mark]")].map((row) => row.dataset.mark);

const heard = () => Math.max(0, ...[...panel.querySelectorAll("[data-reply]")].map((reply) => Number(reply.dataset.reply)));

/* What came in is on this page now: a save from here is one over words that it did show. */
function noteHeard() {
  panel.querySelectorAll("[name=heard]").forEach((field) => (field.value = Math.max(Number(field.value), heard())));
}

/* A promise just broken goes to its place, the second at best; never while a cursor or the focus is in the list. */
function jump() {
  const news = document.getElementById("jump");
  const list = document.querySelector(".queue");
  const after = news && document.getElementById(`row-${news.dataset.after}`);
  if (!after || list.matches(":hover, :focus-within")) return;
  const row = news.content.querySelector("li");
  const old = document.getElementById(row.id);
  if (old?.querySelector("[aria-current]")) row.querySelector("a").setAttribute("aria-current", "true");
  old?.remove();
  after.after(row);
  news.remove();
}

function attach() {
  if (!detail()) return;
  bringBack();
  renewedAt = Date.now();
  detail().querySelectorAll("details").forEach((element) => element.addEventListener("toggle", onToggle));
}

document.querySelectorAll("[data-saved]").forEach((form) => forget(form.dataset.saved));
panel.addEventListener("input", (event) => {
  if (event.target.matches("[data-draft]")) localStorage.setItem(keyOf(event.target), event.target.value);
  renew();
});
document.addEventListener("keydown", renew);
document.addEventListener("submit", onSubmit);
document.addEventListener("click", onRow);
window.addEventListener("popstate", () => location.reload());
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement.id !== "live") return;
  ctx.request.body.set("shown", marks().join("."));
  ctx.request.body.set("due", document.getElementById("due-soon").dataset.due);
  if (!detail()) return;
  ctx.request.body.set("item", detail().dataset.item);
  ctx.request.body.set("heard", heard());
});
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.target !== panel) {
    noteHeard();
    jump();
    return;
  }
  panel.removeAttribute("aria-busy");
  attach();
});
document.querySelector(".queue")?.addEventListener("pointerleave", jump);
document.querySelector(".queue")?.addEventListener("focusout", () => setTimeout(jump));
attach();
/* On a phone the list comes first, and nobody is taken from the others before a row is chosen. */
if (panel.dataset.serve && panel.firstElementChild.checkVisibility()) serve(panel.dataset.serve);
