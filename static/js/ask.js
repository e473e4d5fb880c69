/* Enter in the field keeps the answer that is shown, if it is the answer to what stands there now; where several
   things may be meant it goes to the first of them. Before the answer has come, the form asks for it as a page.
   Escape leaves the field for the digits beside the answer, and the question stands as it was: a browser would
   empty a field of search. */

const field = document.querySelector("[data-ask]");

field?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || !field.value) return;
  event.preventDefault();
  field.blur();
});

field?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  const shown = document.querySelector("#answer [data-q]");
  if (shown?.dataset.q !== field.value.trim()) return;
  const next = shown.querySelector("[data-answered], .outcome");
  if (!next) return;
  event.preventDefault();
  if (next.matches("[data-answered]")) next.click();
  else next.focus();
});

/* A part that is opened takes the focus to its first field at once, so that the very next key is already for it. */
document.addEventListener("click", (event) => {
  const part = event.target.closest("#answer details > summary")?.parentElement;
  if (!part || part.open) return;
  event.preventDefault();
  part.open = true;
  part.querySelector("form :is(input:not([type=hidden]), button, select, textarea), a")?.focus();
});
