// principal components: a map of the images that zooms, moves and brings a class to the front
const map = $(".map");
const views = data.neighbours.filter((view) => view.map.length);
const MAX_ZOOM = 40;

if (map && sheet && views.length) {
  const menu = $("#map-of");
  const names = [...new Set(data.labels.filter((label) => label !== null))];
  const spots = data.paths.map((_, i) => tile("span", i));
  let camera = { x: 0, y: 0, zoom: 1 }; // the middle of the map, in the data's units
  let drag = null;

  for (const view of views) menu.append(element("option", {}, view.spec));
  menu.selectedIndex = Math.max(0, views.findIndex((view) => view.spec === data.pick));
  const points = () => views[menu.selectedIndex].map;

  // neighbouring hues differ in lightness too
  const hue = (label) => Math.round((360 * names.indexOf(label)) / names.length);
  function colour(node, label) {
    node.style.setProperty("--hue", hue(label));
    node.classList.add(names.indexOf(label) % 2 ? "even" : "odd");
  }

  function scale() {
    const xs = points().map(([x]) => Math.abs(x));
    const ys = points().map(([, y]) => Math.abs(y));
    const fit = (side, values) => (side / 2 - 22) / (Math.max(...values) || 1);
    return camera.zoom * Math.min(fit(map.clientWidth, xs), fit(map.clientHeight, ys));
  }

  function place() {
    const unit = scale();
    const side = Math.min(64, 18 * Math.sqrt(camera.zoom));
    points().forEach(([x, y], i) => {
      const left = map.clientWidth / 2 + (x - camera.x) * unit;
      const top = map.clientHeight / 2 + (y - camera.y) * unit;
      spots[i].style.transform = `translate(${left - side / 2}px, ${top - side / 2}px)`;
    });
    map.style.setProperty("--side", `${side}px`);
    map.classList.toggle("zoomed", camera.zoom > 1);
    $("#zoom-out").disabled = camera.zoom <= 1;
    $("#zoom-in").disabled = camera.zoom >= MAX_ZOOM;
  }

  // zoom by a factor; the point of the data at (left, top) px stays where it is
  function zoom(factor, left = map.clientWidth / 2, top = map.clientHeight / 2) {
    const before = scale();
    camera.zoom = Math.min(MAX_ZOOM, Math.max(1, camera.zoom * factor));
    const change = 1 / before - 1 / scale();
    camera.x += (left - map.clientWidth / 2) * change;
    camera.y += (top - map.clientHeight / 2) * change;
    move(0, 0);
  }

  // move by pixels, as far as the data reach
  function move(right, down) {
    const limit = (value) => Math.min(1, Math.max(-1, value));
    if (camera.zoom === 1) camera = { x: 0, y: 0, zoom: 1 };
    else camera = { ...camera, x: limit(camera.x + right / scale()), y: limit(camera.y + down / scale()) };
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
    map.setAttribute("aria-label", `${spots.length} images on the principal components of ${view.spec}.${share}`);
    fit();
  }

  const within = (event) => {
    const box = map.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
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
  map.addEventListener("click", (event) => {
    const moved = drag && drag.moved;
    drag = null;
    const spot = event.target.closest(".tile");
    if (spot && !moved) select(Number(spot.dataset.i), true);
  });
  map.addEventListener("keydown", (event) => {
    const pixels = { ArrowRight: [60, 0], ArrowLeft: [-60, 0], ArrowDown: [0, 60], ArrowUp: [0, -60] };
    if (event.key in pixels) move(...pixels[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });
  $("#zoom-in").addEventListener("click", () => zoom(1.5));
  $("#zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  $("#zoom-fit").addEventListener("click", fit);

  // classes: one is brought to the front at a time
  for (const name of names) {
    const chip = element("button", { type: "button", "aria-pressed": "false" }, element("i"), name);
    colour(chip, name);
    chip.addEventListener("click", () => {
      const pressed = chip.getAttribute("aria-pressed") === "false";
      for (const each of $$(".map-classes button")) each.setAttribute("aria-pressed", "false");
      chip.setAttribute("aria-pressed", String(pressed));
      map.classList.toggle("dimmed", pressed);
      spots.forEach((spot, i) => spot.classList.toggle("front", pressed && data.labels[i] === name));
    });
    $(".map-classes")?.append(element("li", {}, chip));
  }

  spots.forEach((spot, i) => {
    spot.dataset.i = i;
    if (data.labels[i] !== null) colour(spot, data.labels[i]);
  });
  map.append(...spots);
  followers.push((query) => spots.forEach((spot, i) => spot.classList.toggle("selected", i === query)));
  followers[0](current);
  menu.addEventListener("change", change);
  new ResizeObserver(place).observe(map);
  change();
}
