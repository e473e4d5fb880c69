/* Menus (<details class="menu">) close on Escape and on a click elsewhere; notices close by their button,
   those that only confirm leave by themselves unless somebody points at them or they offer something to press. */

const NOTICE_STAYS_FOR = 10_000;

function closeMenus(except) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
}

function watchNotices() {
  document.querySelectorAll(".notice-success:not([data-timed])").forEach((notice) => {
    notice.dataset.timed = "1";
    if (notice.querySelector("a, form")) return;
    const leave = () => (notice.matches(":hover, :focus-within") ? setTimeout(leave, NOTICE_STAYS_FOR) : notice.remove());
    setTimeout(leave, NOTICE_STAYS_FOR);
  });
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details.menu"));
  event.target.closest("[data-close]")?.closest(".notice")?.remove();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  closeMenus();
  menu?.querySelector("summary").focus();
});

document.addEventListener("htmx:after:swap", watchNotices);
watchNotices();
