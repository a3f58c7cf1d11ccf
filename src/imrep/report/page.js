// Progressive enhancement: without this script the tables, static plots and images remain.
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const data = JSON.parse($("#data").textContent);
document.documentElement.classList.add("live");

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children); // strings become text nodes, never markup
  return node;
}

// contents
for (const section of $$("main > section")) {
  const link = element("a", { href: "#" + section.id }, $("h2", section).textContent);
  $("#contents").append(element("li", {}, link));
}

// plots: one of two forms, drawn again when the width changes; colours are CSS variables
const WIDE = 700;
const states = new Map(); // figure -> form, width and Vega view

async function draw(figure) {
  const canvas = $(".canvas", figure);
  const width = canvas.clientWidth;
  if (!width) return;
  const form = width >= WIDE ? "wide" : "narrow";
  const state = states.get(figure);
  if (state && state.form === form && state.width === width) return;
  states.set(figure, { form, width });
  const chart = data.charts[figure.dataset.chart][form];
  const options = { actions: false, renderer: "svg", ast: true, tooltip: { theme: "page" } };
  if (state && state.result) state.result.finalize();
  const result = await vegaEmbed(canvas, chart, options);
  states.set(figure, { form, width, result });
  figure.dataset.drawn = form;
}

const observer = new ResizeObserver((entries) => {
  for (const entry of entries) draw(entry.target.closest("figure"));
});
for (const figure of $$("figure.plot")) observer.observe($(".canvas", figure));

// tables
function sortBy(table, column) {
  const heads = $$("thead th", table);
  const head = heads[column];
  const isText = head.dataset.sort === "text";
  const first = isText ? "ascending" : "descending";
  const second = isText ? "descending" : "ascending";
  const order = head.getAttribute("aria-sort") === first ? second : first;
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const key = (row) => {
    const cell = row.children[column];
    if (isText) return cell.textContent;
    return "value" in cell.dataset ? Number(cell.dataset.value) : null;
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null); // missing values last
    return sign * (isText ? a.localeCompare(b) : a - b);
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

// nearest neighbours: any image can be the query
const sheet = $(".sheet");
if (sheet) {
  const count = data.paths.length;
  const columns = Math.min(25, count);
  const rows = Math.ceil(count / columns);
  const position = (i) =>
    `${(100 * (i % columns)) / Math.max(columns - 1, 1)}% ` +
    `${(100 * Math.floor(i / columns)) / Math.max(rows - 1, 1)}%`;
  const title = (i) => [data.labels[i], data.paths[i]].filter(Boolean).join(", ");
  let current = 0;

  function tile(tag, i, classes = "", attributes = {}) {
    const node = element(tag, { class: `tile sheet-thumbnails ${classes}`, title: title(i), ...attributes });
    node.setAttribute("aria-label", attributes["aria-label"] || title(i));
    node.style.backgroundPosition = position(i);
    return node;
  }

  function neighbour(query, i) {
    const labelled = data.labels[query] !== null && data.labels[i] !== null;
    const same = data.labels[query] === data.labels[i];
    const prefix = labelled ? (same ? `same ${data.unit}: ` : `another ${data.unit}: `) : "";
    const classes = labelled ? (same ? "same" : "different") : "";
    const node = tile("button", i, classes, { type: "button", "aria-label": prefix + title(i) });
    node.addEventListener("click", () => select(i, true));
    return node;
  }

  function strip(view, query) {
    const parts = view.spec.split(/(?<=[,:=+/_])/).flatMap((part) => [part, element("wbr")]);
    const name = element("p", { class: "name" }, element("span", { class: "spec" }, ...parts));
    const tiles = view.nearest[query].map((i) => neighbour(query, i));
    const node = element("div", { class: `strip ${view.standing}` }, name);
    node.append(element("div", { class: "tiles" }, ...tiles));
    return node;
  }

  function select(query, scroll = false) {
    sheet.children[current].setAttribute("aria-selected", "false");
    sheet.children[current].tabIndex = -1;
    current = query;
    const option = sheet.children[query];
    option.setAttribute("aria-selected", "true");
    option.tabIndex = 0;
    if (scroll) sheet.scrollTop = option.offsetTop - sheet.offsetTop - sheet.clientHeight / 2;
    const caption = element("p", {}, element("b", {}, data.labels[query] || ""));
    caption.append(element("span", { class: "note" }, data.paths[query]));
    const image = tile("span", query, "query", { role: "img" });
    const strips = element("div", { class: "strips" });
    for (const view of data.neighbours) strips.append(strip(view, query));
    $(".answers").replaceChildren(element("div", { class: "query-image" }, image, caption), strips);
    for (const spot of $$(".map .tile")) spot.classList.toggle("selected", spot.dataset.i == query);
  }

  for (let i = 0; i < count; i++) {
    const option = tile("div", i, "", { role: "option", "aria-selected": "false", tabindex: "-1" });
    option.addEventListener("click", () => select(i));
    sheet.append(option);
  }

  sheet.addEventListener("keydown", (event) => {
    const perRow = getComputedStyle(sheet).gridTemplateColumns.split(" ").length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow };
    const ends = { Home: -count, End: count };
    const step = steps[event.key] ?? ends[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const outside = current + step < 0 || current + step >= count;
    if (outside && event.key in steps) return;
    select(Math.min(Math.max(current + step, 0), count - 1));
    sheet.children[current].focus();
  });

  // principal components
  const map = $(".map");
  const views = data.neighbours.filter((view) => view.map.length);
  if (map && views.length) {
    const menu = $("#map-of");
    for (const view of views) menu.append(element("option", {}, view.spec));
    const paint = () => {
      const spots = views[menu.selectedIndex].map.map(([x, y], i) => {
        const classes = i === current ? "selected" : "";
        const spot = tile("button", i, classes, { type: "button", tabindex: "-1" });
        spot.dataset.i = i;
        spot.style.left = `${3 + 94 * x}%`;
        spot.style.top = `${4 + 92 * y}%`;
        spot.addEventListener("click", () => select(i, true));
        return spot;
      });
      map.replaceChildren(...spots);
    };
    menu.addEventListener("change", paint);
    paint();
  }
  select(data.queries[0] ?? 0, true);
}

// print: every table is open
addEventListener("beforeprint", () => {
  for (const each of $$("details")) each.open = true;
});
