// nearest neighbours: any image can be the query
const sheet = $(".sheet");
const followers = []; // functions that follow the choice of a query
let current = 0;

const title = (i) => [data.labels[i], data.paths[i]].filter(Boolean).join(", ");

function tile(tag, i, classes = "", attributes = {}) {
  const columns = Math.min(25, data.paths.length);
  const rows = Math.ceil(data.paths.length / columns);
  const x = (100 * (i % columns)) / Math.max(columns - 1, 1);
  const y = (100 * Math.floor(i / columns)) / Math.max(rows - 1, 1);
  const node = element(tag, { class: `tile sheet-thumbnails ${classes}`, title: title(i), ...attributes });
  node.setAttribute("aria-label", attributes["aria-label"] || title(i));
  node.style.backgroundPosition = `${x}% ${y}%`;
  return node;
}

function isSame(query, i) {
  if (data.labels[query] === null || data.labels[i] === null) return null;
  return data.labels[query] === data.labels[i];
}

function frame(query, i) {
  const object = data.objects[query] ?? null;
  if (object !== null && object === data.objects[i]) return "object";
  const same = isSame(query, i);
  return same === null ? "" : same ? "same" : "different";
}

function neighbour(query, i) {
  const classes = frame(query, i);
  const words = { object: "same object: ", same: `same ${data.unit}: `, different: `another ${data.unit}: ` };
  const prefix = words[classes] || "";
  const node = tile("button", i, classes, { type: "button", "aria-label": prefix + title(i) });
  node.addEventListener("click", () => {
    const position = $$(".answers button").indexOf(node);
    select(i, true);
    $$(".answers button")[position]?.focus(); // the old button is gone
  });
  return node;
}

function strip(view, query) {
  const name = element("p", { class: "name" }, element("span", { class: "spec" }, ...breakable(view.spec)));
  const tiles = view.nearest[query].map((i) => neighbour(query, i));
  const node = element("div", { class: `strip ${view.standing}`, role: "group", "aria-label": view.spec }, name);
  node.append(element("div", { class: "tiles" }, ...tiles));
  return node;
}

function summary(query) {
  const view = data.neighbours.find((each) => each.spec === data.pick) || data.neighbours[0];
  const same = view.nearest[query].map((i) => isSame(query, i));
  const text = `Query: ${title(query)}.`;
  if (same.includes(null)) return text;
  const count = same.filter(Boolean).length;
  return `${text} Of the ${same.length} nearest by ${view.spec}, ${count} are of the same ${data.unit}.`;
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
  for (const follow of followers) follow(query);
  announce(summary(query));
}

function step(event) {
  const count = sheet.children.length;
  const perRow = getComputedStyle(sheet).gridTemplateColumns.split(" ").length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow };
  const ends = { Home: -count, End: count };
  const by = steps[event.key] ?? ends[event.key];
  if (by === undefined) return;
  event.preventDefault();
  const outside = current + by < 0 || current + by >= count;
  if (outside && event.key in steps) return;
  select(Math.min(Math.max(current + by, 0), count - 1));
  sheet.children[current].focus();
}

if (sheet) {
  data.paths.forEach((_, i) => {
    const option = tile("div", i, "", { role: "option", "aria-selected": "false", tabindex: "-1" });
    option.addEventListener("click", () => select(i));
    sheet.append(option);
  });
  sheet.addEventListener("keydown", step);
  select(data.queries[0] ?? 0, true);
  announce(""); // nobody has chosen yet
}
