// Everything below only adds to the page: without it the tables, static plots and pictures stand.
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const data = JSON.parse($("#data").textContent);
document.documentElement.classList.add("live");

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children); // strings become text, never markup
  return made;
}

// contents
for (const section of $$("main > section")) {
  const link = element("a", { href: "#" + section.id }, $("h2", section).textContent);
  $("#contents").append(element("li", {}, link));
}

// plots: one of two forms, drawn again when the room for it changes; colours are CSS variables
const WIDE = 700;
const drawn = new Map();

async function draw(figure) {
  const canvas = $(".canvas", figure);
  const width = canvas.clientWidth;
  if (!width) return;
  const form = width >= WIDE ? "wide" : "narrow";
  const now = drawn.get(figure);
  if (now && now.form === form && now.width === width) return;
  drawn.set(figure, { form, width });
  const chart = data.charts[figure.dataset.chart][form];
  const options = { actions: false, renderer: "svg", ast: true, tooltip: { theme: "page" } };
  if (now && now.result) now.result.finalize();
  const result = await vegaEmbed(canvas, chart, options);
  drawn.set(figure, { form, width, result });
  figure.dataset.drawn = form;
}

const watch = new ResizeObserver((entries) => {
  for (const entry of entries) draw(entry.target.closest("figure"));
});
for (const figure of $$("figure.plot")) watch.observe($(".canvas", figure));

// tables
function sortBy(table, column) {
  const heads = $$("thead th", table);
  const head = heads[column];
  const words = head.dataset.sort === "text";
  const first = words ? "ascending" : "descending";
  const other = words ? "descending" : "ascending";
  const order = head.getAttribute("aria-sort") === first ? other : first;
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const key = (row) => {
    const cell = row.children[column];
    if (words) return cell.textContent;
    return "value" in cell.dataset ? Number(cell.dataset.value) : null;
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null); // unknown ones last
    return sign * (words ? a.localeCompare(b) : a - b);
  };
  const body = $("tbody", table);
  body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
}

for (const table of $$("table.numbers")) {
  $$("thead th", table).forEach((head, column) => {
    const numeric = $$(`tbody tr > :nth-child(${column + 1})`, table).some((c) => "value" in c.dataset);
    if (!numeric) head.dataset.sort = "text";
    const button = element("button", { type: "button" }, ...head.childNodes);
    button.addEventListener("click", () => sortBy(table, column));
    head.append(button);
  });
}

// neighbours: any picture can be asked for
const sheet = $(".sheet");
if (sheet) {
  const count = data.paths.length;
  const columns = Math.min(25, count);
  const rows = Math.ceil(count / columns);
  const place = (i) =>
    `${(100 * (i % columns)) / Math.max(columns - 1, 1)}% ` +
    `${(100 * Math.floor(i / columns)) / Math.max(rows - 1, 1)}%`;
  const name = (i) => [data.labels[i], data.paths[i]].filter(Boolean).join(", ");
  let asked = 0;

  function tile(tag, i, classes = "", attributes = {}) {
    const made = element(tag, { class: `tile sheet-thumbnails ${classes}`, title: name(i), ...attributes });
    made.setAttribute("aria-label", attributes["aria-label"] || name(i));
    made.style.backgroundPosition = place(i);
    return made;
  }

  function answer(query, i) {
    const known = data.labels[query] !== null && data.labels[i] !== null;
    const same = data.labels[query] === data.labels[i];
    const said = known ? (same ? `same ${data.alike}: ` : `another ${data.alike}: `) : "";
    const classes = known ? (same ? "same" : "other") : "";
    const made = tile("button", i, classes, { type: "button", "aria-label": said + name(i) });
    made.addEventListener("click", () => ask(i, true));
    return made;
  }

  function ask(query, reveal = false) {
    sheet.children[asked].setAttribute("aria-selected", "false");
    sheet.children[asked].tabIndex = -1;
    asked = query;
    const chosen = sheet.children[query];
    chosen.setAttribute("aria-selected", "true");
    chosen.tabIndex = 0;
    if (reveal) sheet.scrollTop = chosen.offsetTop - sheet.offsetTop - sheet.clientHeight / 2;
    const words = element("p", {}, element("b", {}, data.labels[query] || ""));
    words.append(element("span", { class: "note" }, data.paths[query]));
    const shown = element("div", { class: "asked" }, tile("span", query, "query", { role: "img" }), words);
    const found = element("div", { class: "found" });
    for (const view of data.neighbours) {
      const title = element("p", { class: "name" }, element("span", { class: "spec" }, ...view.spec.split(/(?<=[,:=+/_])/).flatMap((part) => [part, element("wbr")])));
      const tiles = view.nearest[query].map((i) => answer(query, i));
      const strip = element("div", { class: `strip ${view.standing}` }, title);
      strip.append(element("div", { class: "tiles" }, ...tiles));
      found.append(strip);
    }
    $(".answers").replaceChildren(shown, found);
    for (const spot of $$(".map .tile")) spot.classList.toggle("asked-for", spot.dataset.i == query);
  }

  for (let i = 0; i < count; i++) {
    const option = tile("div", i, "", { role: "option", "aria-selected": "false", tabindex: "-1" });
    option.addEventListener("click", () => ask(i));
    sheet.append(option);
  }

  sheet.addEventListener("keydown", (event) => {
    const across = getComputedStyle(sheet).gridTemplateColumns.split(" ").length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
    const ends = { Home: -count, End: count };
    const step = steps[event.key] ?? ends[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const beyond = asked + step < 0 || asked + step >= count;
    if (beyond && event.key in steps) return;
    ask(Math.min(Math.max(asked + step, 0), count - 1));
    sheet.children[asked].focus();
  });

  // the folder as one representation sees it
  const map = $(".map");
  const views = data.neighbours.filter((view) => view.map.length);
  if (map && views.length) {
    const choice = $("#map-of");
    for (const view of views) choice.append(element("option", {}, view.spec));
    const paint = () => {
      const view = views[choice.selectedIndex];
      const spots = view.map.map(([x, y], i) => {
        const spot = tile("button", i, i === asked ? "asked-for" : "", { type: "button", tabindex: "-1" });
        spot.dataset.i = i;
        spot.style.left = `${3 + 94 * x}%`;
        spot.style.top = `${4 + 92 * y}%`;
        spot.addEventListener("click", () => ask(i, true));
        return spot;
      });
      map.replaceChildren(...spots);
    };
    choice.addEventListener("change", paint);
    paint();
  }
  ask(data.queries[0] ?? 0, true);
}

// on paper every table is open
addEventListener("beforeprint", () => {
  for (const each of $$("details")) each.open = true;
});
