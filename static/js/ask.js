/* Enter in the field keeps the answer that is shown, if it is the answer to what stands there now; where several
   things may be meant it goes to the first of them. Before the answer has come, the form asks for it as a page. */

const field = document.querySelector("[data-ask]");

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
