// principal components: a map of the images that zooms, moves and brings a class to the front.
// It is painted: moving thousands of elements would take a second a step
const map = $(".map");
const views = data.neighbours.filter((view) => view.map.length);
const MAX_ZOOM = 40;
const TILE_PX = 18; // side of an image on the whole map

if (map && sheet && views.length) {
  const menu = $("#map-of");
  const names = [...new Set(data.labels.filter((label) => label !== null))];
  const every = data.paths.map((_, i) => i);
  const canvas = element("canvas", { "aria-hidden": "true" });
  let pictures = null; // all thumbnails, decoded
  let camera = { x: 0, y: 0, zoom: 1 }; // the middle of the map, in the data's units
  let front = null; // the label brought to the front
  let hovered = null;
  let drag = null;
  let frames = new Map(); // label -> colour
  let waiting = false;

  for (const view of views) menu.append(element("option", {}, view.spec));
  menu.selectedIndex = Math.max(0, views.findIndex((view) => view.spec === data.pick));

  // where everything lies, px
  function layout() {
    const [width, height] = [map.clientWidth, map.clientHeight];
    const points = views[menu.selectedIndex].map;
    const reach = (axis) => points.reduce((most, point) => Math.max(most, Math.abs(point[axis])), 0) || 1;
    const unit = camera.zoom * Math.min((width / 2 - 22) / reach(0), (height / 2 - 22) / reach(1));
    const at = (i) => [width / 2 + (points[i][0] - camera.x) * unit, height / 2 + (points[i][1] - camera.y) * unit];
    return { width, height, unit, at, side: Math.min(64, TILE_PX * Math.sqrt(camera.zoom)) };
  }

  // the image nearest to the middle, which Enter selects
  function central() {
    const { width, height, at } = layout();
    const distance = ([left, top]) => Math.hypot(left - width / 2, top - height / 2);
    return every.reduce((best, i) => (distance(at(i)) < distance(at(best)) ? i : best), 0);
  }

  // in the order of painting; the last lies on top
  function layer(i) {
    if (i === hovered) return 3;
    if (i === current) return 2;
    return front !== null && data.labels[i] === front ? 1 : 0;
  }

  function paint() {
    waiting = false;
    const { width, height, at, side } = layout();
    const columns = Math.min(25, every.length);
    const px = pictures && pictures.width / columns;
    const variable = (name) => getComputedStyle(map).getPropertyValue(name).trim();
    const pen = canvas.getContext("2d");
    [canvas.width, canvas.height] = [width * devicePixelRatio, height * devicePixelRatio];
    pen.scale(devicePixelRatio, devicePixelRatio);
    const framed = (left, top, colour, line, outside = 0) => {
      [pen.strokeStyle, pen.lineWidth] = [colour, line];
      const inset = line / 2 - outside;
      pen.strokeRect(left + inset, top + inset, side - 2 * inset, side - 2 * inset);
    };
    for (const i of [...every].sort((a, b) => layer(a) - layer(b))) {
      const [left, top] = at(i).map((middle) => middle - side / 2);
      if (left < -side || top < -side || left > width || top > height) continue;
      pen.globalAlpha = front === null || layer(i) ? 1 : 0.12;
      if (px) pen.drawImage(pictures, (i % columns) * px, Math.floor(i / columns) * px, px, px, left, top, side, side);
      if (frames.has(data.labels[i])) framed(left, top, frames.get(data.labels[i]), 2);
      if (i === current) framed(left, top, variable("--pick"), 4, 4);
    }
    pen.globalAlpha = 1;
    if (!map.matches(":focus-visible")) return;
    const [left, top] = at(central()).map((middle) => middle - side / 2);
    framed(left, top, variable("--paper"), 6, 4);
    framed(left, top, variable("--ink"), 3, 3);
  }

  // once before the next frame
  function repaint() {
    if (!waiting) requestAnimationFrame(paint);
    waiting = true;
  }

  function place() {
    map.dataset.camera = [camera.x, camera.y, camera.zoom].join(" ");
    map.classList.toggle("zoomed", camera.zoom > 1);
    $("#zoom-out").disabled = camera.zoom <= 1;
    $("#zoom-in").disabled = camera.zoom >= MAX_ZOOM;
    repaint();
  }

  // zoom by a factor; the point of the data at (left, top) px stays where it is
  function zoom(factor, left = map.clientWidth / 2, top = map.clientHeight / 2) {
    const before = layout().unit;
    camera.zoom = Math.min(MAX_ZOOM, Math.max(1, camera.zoom * factor));
    const change = 1 / before - 1 / layout().unit;
    camera.x += (left - map.clientWidth / 2) * change;
    camera.y += (top - map.clientHeight / 2) * change;
    move(0, 0);
  }

  // move by pixels, as far as the data reach
  function move(right, down) {
    const { unit } = layout();
    const limit = (value) => Math.min(1, Math.max(-1, value));
    if (camera.zoom === 1) camera = { x: 0, y: 0, zoom: 1 };
    else camera = { ...camera, x: limit(camera.x + right / unit), y: limit(camera.y + down / unit) };
    place();
  }

  function fit() {
    camera = { x: 0, y: 0, zoom: 1 };
    place();
  }

  function change() {
    const view = views[menu.selectedIndex];
    const share = view.variance ? ` They show ${view.variance} of the variance of ${view.spec}.` : "";
    $("#map-variance").textContent = share;
    map.setAttribute("aria-label", `${every.length} images on the principal components of ${view.spec}.${share}`);
    fit();
  }

  const within = (event) => {
    const box = map.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  // the topmost image under the pointer
  function under(event) {
    const [x, y] = within(event);
    const { at, side } = layout();
    const near = every.filter((i) => at(i).every((middle, axis) => Math.abs(middle - [x, y][axis]) <= side / 2));
    return near.length ? near.reduce((top, i) => (layer(i) >= layer(top) ? i : top)) : null;
  }

  function hover(i) {
    if (i === hovered) return;
    hovered = i;
    map.title = i === null ? "" : title(i);
    map.classList.toggle("over", i !== null);
    repaint();
  }

  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== map) return; // else the page scrolls
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), ...within(event));
  }, { passive: false });
  map.addEventListener("dblclick", (event) => zoom(2, ...within(event)));
  map.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, moved: false };
  });
  addEventListener("pointermove", (event) => {
    if (!drag || !event.buttons) return;
    const [right, down] = [drag.x - event.clientX, drag.y - event.clientY];
    if (!drag.moved && Math.hypot(right, down) < 4) return;
    drag = { x: event.clientX, y: event.clientY, moved: true };
    move(right, down);
  });
  map.addEventListener("pointermove", (event) => {
    if (!event.buttons) hover(under(event));
  });
  map.addEventListener("pointerleave", () => hover(null));
  map.addEventListener("click", (event) => {
    const moved = drag && drag.moved;
    drag = null;
    const i = under(event);
    if (i !== null && !moved) select(i, true);
  });
  map.addEventListener("keydown", (event) => {
    const pixels = { ArrowRight: [60, 0], ArrowLeft: [-60, 0], ArrowDown: [0, 60], ArrowUp: [0, -60] };
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's own zoom
    if (event.key in pixels) move(...pixels[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") fit();
    else if (event.key === "Enter" || event.key === " ") select(central(), true);
    else return;
    event.preventDefault();
  });
  $("#zoom-in").addEventListener("click", () => zoom(1.5));
  $("#zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  $("#zoom-fit").addEventListener("click", fit);
  for (const change of ["focus", "blur"]) map.addEventListener(change, repaint);

  // classes: one is brought to the front at a time; neighbouring hues differ in lightness too
  const chips = names.map((name, k) => {
    const chip = element("button", { type: "button", "aria-pressed": "false", class: k % 2 ? "even" : "odd" }, element("i"), name);
    chip.style.setProperty("--hue", Math.round((360 * k) / names.length));
    chip.addEventListener("click", () => {
      front = front === name ? null : name;
      chips.forEach((each, j) => each.setAttribute("aria-pressed", String(names[j] === front)));
      repaint();
    });
    $(".map-classes").append(element("li", {}, chip));
    return chip;
  });
  function recolour() {
    frames = new Map(chips.map((chip, k) => [names[k], getComputedStyle(chip.firstChild).backgroundColor]));
    repaint();
  }

  map.append(canvas);
  followers.push(repaint);
  menu.addEventListener("change", change);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  new ResizeObserver(repaint).observe(map);
  const image = new Image();
  image.addEventListener("load", async () => {
    pictures = await createImageBitmap(image); // else it may be decoded at every frame
    map.dataset.painted = "";
    repaint();
  });
  image.src = getComputedStyle(sheet.firstChild).backgroundImage.slice(5, -2); // without url("…")
  recolour();
  change();
}
