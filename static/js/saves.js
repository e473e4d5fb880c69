/* A save that keeps trying: a form with data-saves is sent by fetch and repeated, the same request_key with it, until
   it gets through. Meanwhile the page stays with everything that is typed on it, the bar says that it is not saved,
   and no other save can be pressed. What the server answers with a page, because it refused something, is sent once
   more in the way of forms, so that this page is seen. Without this script every form is sent so.
   data-plain   on a button of such a form that saves nothing, as one that looks for times
   A form hears "saved" before its page is left, unless it was refused. */

const bar = document.getElementById("not-saved");
const WAITS = [1000, 2000, 4000, 8000, 15000];
const LONGEST = 30_000; // a line that says nothing for so long is broken

function say(times) {
  bar.textContent = `${bar.dataset.words} (${times})`;
  bar.hidden = false;
}

let isTrying = false; // also a button that a part brings along meanwhile saves nothing more

function switchOff(off) {
  isTrying = off;
  document.querySelectorAll("[data-saves] button").forEach((button) => (button.disabled = off));
}

function plainly({ form, button }) {
  switchOff(false);
  form.dataset.plainly = "";
  form.requestSubmit(button);
}

async function send(save, tried = 0) {
  let answer;
  try {
    answer = await fetch(save.to, { method: "POST", body: save.body, headers: { "X-Keeps-Trying": "1" }, credentials: "same-origin", signal: AbortSignal.timeout(LONGEST) });
  } catch {
    answer = null;
  }
  if (answer?.headers.has("X-Go-To")) {
    if (!answer.headers.has("X-Refused")) save.form.dispatchEvent(new Event("saved"));
    location.assign(answer.headers.get("X-Go-To"));
  } else if (!answer || answer.status >= 500) {
    say(tried + 1);
    setTimeout(send, WAITS[Math.min(tried, WAITS.length - 1)], save, tried + 1);
  } else if (answer.redirected || !save.form.isConnected) {
    location.reload(); // to the log-in, and from there to this page again
  } else {
    plainly(save);
  }
}

document.addEventListener("submit", (event) => {
  const [form, button] = [event.target, event.submitter];
  if (event.defaultPrevented || !form.matches("[data-saves]") || button?.matches("[data-plain]")) return;
  if ("plainly" in form.dataset) {
    delete form.dataset.plainly;
    return;
  }
  event.preventDefault();
  if (isTrying) return;
  const save = { form, button, to: form.action, body: new URLSearchParams(new FormData(form, button)) };
  switchOff(true);
  send(save);
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  bar.hidden = true;
  switchOff(false);
});
