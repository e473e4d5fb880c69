/* The week as a picture in which a visit is dragged to another time. It says nothing that the list below it does
   not say, and a drag does what “Move…” there does: it sends a form, and the page comes back with the answer. */

const place = document.querySelector("#week");
const form = document.querySelector("#drop");
const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const twoDigits = (number) => String(number).padStart(2, "0");

/* What the clinic's clock shows: the picture knows no zone, and is given none. */
function onTheClock(date) {
  const day = [date.getFullYear(), twoDigits(date.getMonth() + 1), twoDigits(date.getDate())].join("-");
  return `${day}T${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
}

function drop({ event }) {
  const { drop: action, seen } = event.extendedProps;
  form.action = action;
  form.elements.start.value = onTheClock(event.start);
  form.elements.seen.value = seen;
  form.requestSubmit();
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/* The hour and the name on the first line; below with whom, and then how it stands, which its look says, too: in a
   narrow day it is the end of a line that is lost. */
function content({ event }) {
  const { who, doctor, words } = event.extendedProps;
  const first = element("div", "");
  first.append(element("b", onTheClock(event.start).slice(11)), " ", element("bdi", who));
  const second = element("small", "");
  second.append(element("bdi", doctor));
  if (words) second.append(element("span", `· ${words}`));
  return { domNodes: [first, second] };
}

function draw() {
  const { feed, doctor, on, firstDay, opens, closes, minutes, language } = place.dataset;
  const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
  place.hidden = false;
  EventCalendar.create(place, {
    view: "timeGridWeek",
    date: on,
    firstDay: Number(firstDay),
    locale: language,
    headerToolbar: { start: "", center: "", end: "" },
    allDaySlot: false,
    slotHeight: 54,
    slotMinTime: opens,
    slotMaxTime: closes,
    flexibleSlotTimeLimits: true,
    slotLabelFormat: clock,
    eventContent: content,
    dayHeaderFormat: (date) => `${weekday.format(date)} ${date.getDate()}.${date.getMonth() + 1}`,
    snapDuration: { minutes: Number(minutes) },
    eventDurationEditable: false,
    eventStartEditable: true,
    slotEventOverlap: false,
    eventSources: [{ url: feed, extraParams: doctor ? { doctor } : {} }],
    eventDidMount: ({ el, event }) => {
      el.dataset.url = event.extendedProps.url;
      el.title = event.title;
    },
    eventDrop: drop,
  });
}

place?.addEventListener("click", (event) => {
  const visit = event.target.closest("[data-url]");
  if (visit) location.assign(visit.dataset.url);
});

if (place) draw();
