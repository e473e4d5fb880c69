/* What a conversation adds: ready words are put into the field instead of a new page; a draft outlives the page
   until it is sent; whoever writes is with the patient, so that nobody else answers meanwhile; one press, one answer.
   Without it every ready answer is a link and every form works. */

const talk = document.querySelector("[data-talk]");
const words = document.getElementById("words");
const callBy = document.getElementById("call_by");
const kept = `draft:${talk.dataset.talk}:words`;
const RENEW_EVERY = 30_000;
let renewedAt = 0;

/* The lease of Today: taken with the first letter, renewed while somebody writes. */
function renew() {
  if (!talk.dataset.keep || Date.now() - renewedAt < RENEW_EVERY) return;
  renewedAt = Date.now();
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  fetch(talk.dataset.keep, { method: "POST", headers: { "X-CSRFToken": token }, credentials: "same-origin" }).catch(() => {});
}

function keep() {
  localStorage.setItem(kept, words.value);
  renew();
}

function onQuick(event) {
  const quick = event.target.closest("[data-quick]");
  if (!quick || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  words.value = quick.dataset.quick;
  callBy.value = quick.dataset.callBy;
  words.focus();
  keep();
}

function onSubmit(event) {
  const form = event.target.closest("[data-once]");
  if (!form) return;
  if ("gone" in form.dataset) event.preventDefault();
  form.dataset.gone = "";
}

if ("sent" in talk.dataset) localStorage.removeItem(kept);
if (words) {
  words.value ||= localStorage.getItem(kept) ?? "";
  words.addEventListener("input", keep);
}
document.addEventListener("click", onQuick);
document.addEventListener("submit", onSubmit);
window.addEventListener("pageshow", () => document.querySelectorAll("[data-gone]").forEach((form) => delete form.dataset.gone));
