/* The locked page: whoever opens it goes on in this tab where they were in this tab; opened in another tab, it
   opens here too. The server knows one spot a person, which serves without this script. */

const form = document.querySelector("[data-unlock]");
const spotOf = (user) => sessionStorage.getItem(`spot:${user}`) ?? "";

form.addEventListener("submit", () => {
  form.elements.spot.value = spotOf(form.dataset.unlock);
});
window.addEventListener("storage", (event) => {
  if (event.key === "lock" && event.newValue !== "locked") location.replace(spotOf(event.newValue) || "/");
});
