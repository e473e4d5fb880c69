/* What the keys of this very page are, shown on ?; and the page where a user chooses other keys, by pressing them. */

const { named, canBePressed, areOff } = globalThis.ownKeys;
const help = document.getElementById("keys-help");

function wordsOf(element) {
  const label = element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.placeholder || element.title;
  if (label) return label.trim();
  const copy = element.cloneNode(true);
  copy.querySelectorAll("kbd, small, svg, input").forEach((part) => part.remove());
  return copy.textContent.trim().replace(/\s+/g, " ");
}

function line(key, words) {
  const item = document.createElement("li");
  const kbd = document.createElement("kbd");
  kbd.textContent = key;
  kbd.dataset.own = "";
  item.append(kbd, " ", words);
  return item;
}

function keysHere() {
  const found = [...document.querySelectorAll("[data-key]")].filter(canBePressed);
  const lines = found.map((element) => line(named(element.dataset.key), wordsOf(element)));
  if (document.querySelector("[data-rows] a, [data-rows] [data-row]")) {
    lines.unshift(line(named("KeyJ"), help.dataset.next), line(named("KeyK"), help.dataset.before));
  }
  return lines;
}

function open() {
  help.querySelector("ul").replaceChildren(...keysHere());
  help.querySelector("[data-keys-off]").hidden = !areOff();
  help.showModal();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-help]")) open();
  else if (event.target === help) help.close();
});

/* In a field of the page of keys, a press says which place on the keyboard is meant, whatever letter stands there. */
const names = JSON.parse(document.querySelector("[data-key-names]")?.dataset.keyNames ?? "{}");
document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-own-key]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const name = names[event.code.replace("Numpad", "Digit")];
  if (!name) return;
  event.preventDefault();
  event.target.value = name;
});
