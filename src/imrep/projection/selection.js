// what is done with the points: selection, pointers, keys, the list of classes. It follows map.js
// selection
function select(isInside, adds = false) {
  if (!adds) selected.fill(0);
  for (let i = 0; i < COUNT; i += 1) if (isInside(i)) selected[i] = 1;
  selectedCount = selected.reduce((sum, value) => sum + value, 0);
  listSelection();
  $("#status").textContent = $("#selected").textContent;
  repaint();
}
function listSelection() {
  $("#selected").textContent = selectedCount ? `${several(selectedCount, "image")} selected` : "Nothing selected";
  $("#csv").disabled = $("#clear").disabled = !selectedCount;
  const rows = [], counts = new Map();
  for (let i = 0; i < COUNT; i += 1) {
    if (!selected[i]) continue;
    if (rows.length < 5000) rows.push(i);
    if (codes[i] !== NONE) counts.set(codes[i], (counts.get(codes[i]) || 0) + 1);
  }
  const largest = [...counts].sort((a, b) => b[1] - a[1]);
  $("#composition").textContent = largest.slice(0, 5).map(([code, n]) => `${data.classes[code].name} (${n.toLocaleString("en")})`).join(", ")
    + (largest.length > 5 ? ` and ${several(largest.length - 5, "other class", "other classes")}` : "");
  $(".tiles").replaceChildren(...rows.filter((i) => tiles[i] >= 0).slice(0, MAX_TILES).map((i) => {
    const tile = element("canvas", { width: 88, height: 88, title: name(i) });
    tile.setAttribute("role", "img");
    tile.setAttribute("aria-label", name(i));
    const bitmap = sheetOf(tiles[i]);
    if (bitmap) drawTile(tile.getContext("2d"), bitmap, tiles[i], 0, 0, 88);
    return tile;
  }));
  const names = rows.slice(0, MAX_NAMES).map((i) => element("li", {}, name(i)));
  if (selectedCount > MAX_NAMES) names.push(element("li", {}, `… and ${(selectedCount - MAX_NAMES).toLocaleString("en")} more, in the csv`));
  $(".names").replaceChildren(...names);
}
function inside(corners, x, y) {
  let isInside = false;
  for (let a = 0, b = corners.length - 1; a < corners.length; b = a, a += 1) {
    const [ax, ay] = corners[a], [bx, by] = corners[b];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
  }
  return isInside;
}
function closeLasso(corners, adds) {
  const at = layout(), [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [low, high, first, last] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  select((i) => {
    const [x, y] = onMap(i, at);
    return x >= low && x <= high && y >= first && y <= last && inside(corners, x, y);
  }, adds);
}
function selectView(adds = false) {
  const at = layout();
  select((i) => {
    const [x, y] = onMap(i, at);
    return x >= 0 && y >= 0 && x <= at.width && y <= at.height;
  }, adds);
}
function download() {
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [data.classes.length ? "path,label" : "path"];
  for (let i = 0; i < COUNT; i += 1) if (selected[i]) lines.push(cell(name(i)) + (data.classes.length ? `,${cell(label(i))}` : ""));
  const url = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  element("a", { href: url, download: "selection.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// pointers: one moves or lassos, two pinch
const pointers = new Map();
let gesture = null; // of one pointer: where it began, and whether it has moved
const within = (event) => {
  const box = map.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
map.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  map.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, within(event));
  gesture = pointers.size === 1 ? { at: within(event), moved: false, lassos: isLasso || event.shiftKey, adds: event.shiftKey && isLasso } : null;
  if (pointers.size > 1) lasso = null;
  hover(-1);
});
map.addEventListener("pointermove", (event) => {
  const at = within(event), before = pointers.get(event.pointerId);
  if (!before) {
    if (!isWaiting) hover(nearest(...at, REACH));
    return;
  }
  if (pointers.size === 2) {
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, position]) => position);
    const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
    move((before[0] - at[0]) / 2, (before[1] - at[1]) / 2);
    zoom(distance(at) / distance(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  } else if (gesture) {
    if (!gesture.moved && Math.hypot(at[0] - gesture.at[0], at[1] - gesture.at[1]) < 4) return;
    if (!gesture.moved && gesture.lassos) lasso = [gesture.at];
    gesture.moved = true;
    if (lasso) {
      lasso.push(at);
      paintOverlay();
    } else move(before[0] - at[0], before[1] - at[1]);
  }
  pointers.set(event.pointerId, at);
});
function release(event) {
  if (!pointers.delete(event.pointerId) || !gesture) return;
  if (lasso && event.type === "pointerup") closeLasso(lasso, gesture.adds);
  else if (!gesture.moved && event.type === "pointerup") {
    const i = nearest(...within(event), REACH);
    select((row) => row === i, event.shiftKey);
    if (i >= 0) hover(i);
  }
  [lasso, gesture] = [null, null];
  paintOverlay();
}
map.addEventListener("pointerup", release);
map.addEventListener("pointercancel", release);
map.addEventListener("pointerleave", () => hover(-1));
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  hover(-1);
  const lines = event.deltaMode ? 33 : 1;
  zoom(Math.exp((-event.deltaY * lines) / 300), ...within(event));
}, { passive: false });
map.addEventListener("dblclick", (event) => zoom(2, ...within(event)));

// keyboard
const central = () => nearest(map.clientWidth / 2, map.clientHeight / 2, Infinity);
map.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own
  const pixels = { ArrowRight: [60, 0], ArrowLeft: [-60, 0], ArrowDown: [0, 60], ArrowUp: [0, -60] };
  const steps = {
    "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: fit,
    Enter: () => { const i = central(); select((row) => row === i, event.shiftKey); },
    v: () => selectView(), V: () => selectView(true), Escape: () => select(() => false),
  };
  if (event.key in pixels) move(...pixels[event.key]);
  else if (event.key in steps) steps[event.key]();
  else return;
  event.preventDefault();
  if (event.key in pixels) $("#status").textContent = [name(central()), label(central())].filter(Boolean).join(", ");
});

// tools
function lassos(isOn) {
  isLasso = isOn;
  map.classList.toggle("lasso", isOn);
  $("#lasso").setAttribute("aria-pressed", String(isOn));
  $("#move").setAttribute("aria-pressed", String(!isOn));
}
for (const [id, act] of Object.entries({
  move: () => lassos(false), lasso: () => lassos(true),
  "zoom-in": () => zoom(1.5), "zoom-out": () => zoom(1 / 1.5), "zoom-fit": fit,
  "in-view": () => selectView(), csv: download, clear: () => select(() => false),
})) $(`#${id}`).addEventListener("click", act);

// classes: a searchable list; those pressed are brought to the front
function listClasses() {
  const words = $("#search").value.toLowerCase().trim();
  const matches = [...data.classes.keys()].filter((code) => data.classes[code].name.toLowerCase().includes(words));
  $(".classes").replaceChildren(...matches.slice(0, MAX_CLASSES).map((code) => {
    const { name: title, count } = data.classes[code];
    const chip = element("span", { className: "chip" });
    chip.style.background = code < COLOURS ? `var(--c${code})` : "var(--c-other)";
    const button = element("button", { type: "button" }, chip,
      element("span", { className: "name" }, title), element("span", { className: "count" }, count.toLocaleString("en")));
    button.setAttribute("aria-pressed", String(highlighted.has(code)));
    button.addEventListener("click", () => {
      if (!highlighted.delete(code)) highlighted.add(code);
      button.setAttribute("aria-pressed", String(highlighted.has(code)));
      $("#select-classes").disabled = !highlighted.size;
      if (selectedCount) select(() => false);
      repaint();
    });
    return element("li", {}, button);
  }));
  const unlisted = matches.length - MAX_CLASSES;
  $("#unlisted").textContent = [
    data.classes.length > COLOURS ? `The ${COLOURS} largest classes have colours, the others are gray.` : "",
    unlisted > 0 ? `${unlisted.toLocaleString("en")} more: search for them.` : "",
    matches.length ? "" : "No class has this in its name.",
  ].filter(Boolean).join(" ");
}
if (data.classes.length) {
  $("#search").addEventListener("input", listClasses);
  $("#select-classes").addEventListener("click", () => select((i) => highlighted.has(codes[i])));
  listClasses();
}

document.documentElement.classList.add("live");
for (const change of ["focus", "blur"]) map.addEventListener(change, () => paintOverlay());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
new ResizeObserver(repaint).observe(map);
recolour();
