/* Booking: a changed doctor, type or day looks for times at once (data-refresh names the button that would),
   and a time kept for minutes is given back when the page is left without booking it. */

let leavesByAButton = false;

document.addEventListener("change", (event) => {
  const name = event.target.dataset?.refresh;
  const form = event.target.form;
  if (name && form) form.requestSubmit(form.elements.namedItem(name)?.[0] ?? form.elements.namedItem(name));
});

document.addEventListener("submit", () => {
  leavesByAButton = true;
});

window.addEventListener("pagehide", () => {
  const kept = document.querySelector("[data-kept]");
  if (!kept || leavesByAButton) return;
  const said = new FormData();
  said.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  said.set("quietly", "1");
  navigator.sendBeacon(kept.dataset.kept, said);
});

/* Back again from the browser's own store: the time was given back, so what stands here is old. */
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("[data-kept]")) location.reload();
});

/* How long the kept time is still kept: seen every minute, said once, by the clock of this page alone. */
const MINUTE = 60_000;
const left = document.querySelector("[data-countdown]");
const said = document.querySelector("[data-last-minute]");
const inMinutes = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });

function count(until) {
  const minutes = Math.ceil((until - performance.now()) / MINUTE);
  left.textContent = minutes > 0 ? inMinutes.format(minutes, "minute") : said.dataset.over;
  if (minutes === 1 && !said.textContent) said.textContent = said.dataset.lastMinute;
  if (minutes > 0) setTimeout(count, until - performance.now() - (minutes - 1) * MINUTE + 20, until);
}

if (left) count(performance.now() + Number(left.dataset.countdown) * 1000);
