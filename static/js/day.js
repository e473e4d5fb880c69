/* Arrows over the day: up and down through the visits and free times of a doctor, sideways to the next doctor at
   the same height. While nothing in the grid has the focus, up and down enter it, and sideways turns the day. */

const columns = () => [...document.querySelectorAll(".day-column")].map((column) => [...column.querySelectorAll("a")]).filter((links) => links.length);
const height = (link) => link.getBoundingClientRect().top;

function below(links, link) {
  return links.reduce((best, each) => (Math.abs(height(each) - height(link)) < Math.abs(height(best) - height(link)) ? each : best));
}

function target(key) {
  const grid = columns();
  const nth = grid.findIndex((links) => links.includes(document.activeElement));
  if (nth < 0) return key === "ArrowDown" || key === "ArrowUp" ? grid[0]?.[0] : null;
  const own = grid[nth];
  const at = own.indexOf(document.activeElement);
  if (key === "ArrowDown") return own[Math.min(at + 1, own.length - 1)];
  if (key === "ArrowUp") return own[Math.max(at - 1, 0)];
  const forward = (key === "ArrowRight") === (document.documentElement.dir !== "rtl");
  const next = grid[nth + (forward ? 1 : -1)];
  return next ? below(next, document.activeElement) : document.activeElement;
}

/* A on a free time offers it to who waits, without asking first for whom it is. */
document.addEventListener("keydown", (event) => {
  if (globalThis.ownKeys.meant(event) !== "KeyA" || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const offer = document.activeElement?.dataset.offer;
  if (!offer || globalThis.ownKeys.areOff()) return;
  event.preventDefault();
  location.assign(offer);
});

document.addEventListener(
  "keydown",
  (event) => {
    if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest("input, select, textarea") || globalThis.ownKeys.areOff()) return;
    const link = target(event.key);
    if (!link) return;
    event.preventDefault();
    link.focus();
  },
  { capture: true },
);
