// confusion: a cell opens its images; arrow keys move from cell to cell
const confused = data.confusion;
const cellPanel = $("#cell-images");
const MAX_TILES = 100; // displayed at first
let openCell = null; // the button whose images are displayed

const digits = new Intl.NumberFormat("en"); // toLocaleString makes one at every call

function plural(count, noun) {
  return `${digits.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function cellTitle(key) {
  const [actual, predicted] = key.split(",").map((c) => confused.classes[c]);
  const text = actual === predicted ? `${actual}, predicted so` : `${actual}, predicted ${predicted}`;
  return `${text}: ${plural(confused.cells[key].images, "image")}`;
}

function cellTiles(entries) {
  const list = element("ul", { class: "cell-tiles" });
  const add = ([i, percent]) => {
    const caption = element("span", {}, element("b", {}, `${percent}%`), ...breakable(data.paths[i]));
    list.append(element("li", {}, tile("span", i, "", { role: "img" }), caption));
  };
  entries.slice(0, MAX_TILES).forEach(add);
  const remainder = entries.slice(MAX_TILES);
  if (!remainder.length) return [list];
  const more = element("button", { type: "button", class: "more-tiles" }, `Show ${plural(remainder.length, "more image")}`);
  more.addEventListener("click", () => {
    remainder.forEach(add);
    more.remove();
    const first = list.children[MAX_TILES]; // where one goes on reading
    first.tabIndex = -1;
    first.focus();
  });
  return [list, more];
}

function cellNames(cell) {
  const list = element("ul", { class: "cell-names" });
  for (const [path, percent] of cell.names) {
    list.append(element("li", {}, ...breakable(path), element("b", {}, `${percent}%`)));
  }
  const count = cell.images - cell.tiles.length;
  const more = count - cell.names.length;
  const rest = more ? `; ${plural(more, "more image")} in answers.parquet` : "";
  const text = cell.tiles.length ? "without a thumbnail in this page" : "none with a thumbnail in this page";
  return [element("p", { class: "text small" }, `${plural(count, "image")} ${text}${rest}:`), list];
}

function closeImages() {
  openCell?.setAttribute("aria-expanded", "false");
  openCell?.focus();
  openCell = null;
  cellPanel.hidden = true;
  cellPanel.replaceChildren();
}

function openImages(button) {
  if (button === openCell) return closeImages();
  openCell?.setAttribute("aria-expanded", "false");
  openCell = button;
  button.setAttribute("aria-expanded", "true");
  const cell = confused.cells[button.dataset.cell];
  const close = element("button", { type: "button" }, "Close");
  close.addEventListener("click", closeImages);
  const head = element("header", {}, element("h3", {}, cellTitle(button.dataset.cell)), close);
  const text = `By ${confused.spec}, the surest answer first, each with its probability and its file.`;
  cellPanel.replaceChildren(head, element("p", { class: "text small" }, text));
  if (cell.tiles.length) cellPanel.append(...cellTiles(cell.tiles));
  if (cell.images > cell.tiles.length) cellPanel.append(...cellNames(cell));
  cellPanel.hidden = false;
  cellPanel.scrollIntoView({ block: "nearest" });
  announce(`${cellTitle(button.dataset.cell)}. ${cell.tiles.length} with a thumbnail.`);
}

function cellButton(key, text, attributes = {}) {
  const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": "cell-images", ...attributes });
  button.dataset.cell = key;
  button.append(text);
  button.setAttribute("aria-label", cellTitle(key));
  button.addEventListener("click", () => openImages(button));
  return button;
}

// the next cell with images in a direction
function nextCell(from, right, down) {
  const rows = [...$("#matrix").tBodies[0].rows].map((row) => [...row.cells].slice(1));
  let y = rows.findIndex((row) => row.includes(from));
  let x = rows[y].indexOf(from);
  do { x += right; y += down; } while (rows[y]?.[x] && !$("button", rows[y][x]));
  return rows[y]?.[x] && $("button", rows[y][x]);
}

if (confused) {
  for (const td of $$("#matrix td[data-cell]")) {
    td.replaceChildren(cellButton(td.dataset.cell, td.textContent, { tabindex: "-1" }));
  }
  const buttons = $$("#matrix button");
  if (buttons.length) buttons[0].tabIndex = 0;
  $("#matrix").addEventListener("focusin", (event) => {
    for (const each of buttons) each.tabIndex = each === event.target ? 0 : -1;
  });
  $("#matrix").addEventListener("keydown", (event) => {
    const directions = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    if (!(event.key in directions) || !event.target.closest("td")) return;
    event.preventDefault();
    nextCell(event.target.closest("td"), ...directions[event.key])?.focus();
  });
  $$("#table-errors tbody tr").forEach((row, k) => {
    const count = row.children[2];
    count.replaceChildren(cellButton(confused.errors[k].join(), count.textContent, { class: "errors-button" }));
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && openCell) closeImages();
  });
}
