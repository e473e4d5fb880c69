/* The picture of the map, drawn from the rows of its table: what a row does not say is not in the picture.
   Without it the table tells everything. Where the page is read from the right, so is the picture: the plugin
   knows one direction only, so each ribbon is given to it from its end. */

const picture = document.querySelector("[data-stuck-picture]");
const isRtl = document.documentElement.dir === "rtl";
const rows = [...document.querySelectorAll("[data-people]")].filter((row) => Number(row.dataset.people) > 0);

/* Tokens are light-dark() pairs: only a painted element knows which one holds. */
function colour(token) {
  const probe = document.createElement("span");
  probe.className = `stuck-${token}`;
  picture.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function flows() {
  const found = rows.map(({ dataset }) => ({ from: dataset.from, to: dataset.to, flow: Number(dataset.people), pace: dataset.pace }));
  for (const { dataset } of rows) {
    if (Number(dataset.left)) found.push({ from: dataset.to, to: "$left", flow: Number(dataset.left), pace: "late" });
  }
  return merged(found).map((each) => (isRtl ? { ...each, from: each.to, to: each.from } : each));
}

/* Two ways onto one step lose their patients on it: one ribbon says so. */
function merged(found) {
  const byWay = new Map();
  for (const each of found) {
    const way = `${each.from}>${each.to}`;
    const before = byWay.get(way);
    byWay.set(way, before ? { ...before, flow: before.flow + each.flow } : each);
  }
  return [...byWay.values()];
}

function words() {
  const labels = { $left: picture.dataset.lost };
  for (const { dataset } of rows) {
    labels[dataset.from] = dataset.fromWords;
    labels[dataset.to] = dataset.toWords;
  }
  return labels;
}

function said({ raw }) {
  const [from, to] = isRtl ? [raw.to, raw.from] : [raw.from, raw.to];
  const labels = words();
  return isRtl ? `${labels[to]} ← ${labels[from]}: ${raw.flow}` : `${labels[from]} → ${labels[to]}: ${raw.flow}`;
}

function draw() {
  const paces = { late: colour("late"), due: colour("due"), done: colour("done"), unknown: colour("unknown") };
  const paint = (context) => paces[context.dataset.data[context.dataIndex]?.pace] ?? paces.unknown;
  new Chart(picture.querySelector("canvas"), {
    type: "sankey",
    data: {
      datasets: [{
        data: flows(), labels: words(), colorFrom: paint, colorTo: paint, colorMode: "to", alpha: 0.45,
        color: colour("words"), borderWidth: 0, nodeWidth: 8, font: { family: getComputedStyle(document.body).fontFamily, size: 12 },
      }],
    },
    options: {
      animation: false, maintainAspectRatio: false, locale: document.documentElement.lang,
      plugins: { legend: { display: false }, tooltip: { rtl: isRtl, callbacks: { label: said } } },
    },
  });
}

if (picture && rows.length && globalThis.Chart) {
  picture.hidden = false;
  draw();
}
