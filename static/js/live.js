/* What htmx leaves to us: focus after a swap, words when something was not saved, no polling nobody sees.
   data-poll        on an element that polls: skipped while the tab is hidden; its failure says "may be old"
   data-focus-here  on the heading of a swapped-in part: it takes the focus, unless a poll brought it */

const trouble = document.getElementById("trouble");
const isPoll = (context) => context.sourceElement.matches("[data-poll]");

/* "Not saved" outlives the polls that succeed after it; only a later success of the person's own clears it. */
function complain(kind) {
  if (!trouble || (kind === "stale" && trouble.dataset.kind === "notSaved")) return;
  trouble.dataset.kind = kind;
  trouble.textContent = trouble.dataset[kind];
  trouble.hidden = false;
}

function settle(kinds) {
  if (!trouble || !kinds.includes(trouble.dataset.kind)) return;
  trouble.dataset.kind = "";
  trouble.textContent = "";
  trouble.hidden = true;
}

/* A mark counts once, for the swap that brought it; the page's own first load moves nothing. */
function takeFocusMarks() {
  const marked = [...document.querySelectorAll("[data-focus-here]")];
  marked.forEach((element) => element.removeAttribute("data-focus-here"));
  return marked;
}

/* The server must not take a page's own asking for somebody at work: an idle desk locks itself. */
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (isPoll(ctx)) ctx.request.headers["X-By-Itself"] = "1";
});

/* What arrives takes the focus from nobody who types; a field that asked for it (search) lets go by itself. */
const isTyping = () => document.activeElement?.matches("input:not([type=search]), textarea, select");

document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && isPoll(event.detail.ctx)) event.preventDefault();
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (ctx) complain(isPoll(ctx) ? "stale" : "notSaved");
});

document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status >= 500 || ctx.response.status === 403) complain(isPoll(ctx) ? "stale" : "notSaved");
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400) settle(isPoll(ctx) ? ["stale"] : ["stale", "notSaved"]);
});

document.addEventListener("htmx:after:swap", (event) => {
  const marked = takeFocusMarks();
  if (!isPoll(event.detail.ctx) && !isTyping()) marked[0]?.focus();
});

window.addEventListener("offline", () => complain("stale"));
window.addEventListener("online", () => settle(["stale"]));
takeFocusMarks();
