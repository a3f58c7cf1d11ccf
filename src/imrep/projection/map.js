// the points of a map, and what is done with them. They are painted into an array of pixels: that
// takes a tenth of the time of as many canvas calls, needs no graphics card and looks alike everywhere
"use strict";
const $ = (selector) => document.querySelector(selector);
const data = JSON.parse($("#data").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const xy = new Float32Array(bytes(data.positions).buffer); // x and y of each image, in [-1, 1]
const codes = new Uint32Array(bytes(data.codes).buffer); // position of its class in data.classes
const tiles = new Int32Array(bytes(data.tiles).buffer); // its thumbnail, -1 without one
const COUNT = data.count;
const NONE = 0xffffffff; // the code of an image without a class
const COLOURS = 10;
const PER_SHEET = data.columns * data.columns;
const MAX_ZOOM = 4000;
const MAX_PICTURES = 150; // thumbnails painted in place of points, where so few are in view
const MAX_TILES = 60, MAX_NAMES = 200, MAX_CLASSES = 200; // listed beside the map
const MANY = 20000; // points from which the map is coarser while it moves
const MAX_RINGED = 2000; // selected points with a ring; of more the others are dimmed only
const REACH = 12; // px from a point at which the pointer is over it

const map = $(".map");
const canvas = $("#points"), overlay = $("#overlay"), card = $(".card");
const pen = canvas.getContext("2d"), ink = overlay.getContext("2d");
let camera = { x: 0, y: 0, zoom: 1 };
let selected = new Uint8Array(COUNT);
let selectedCount = 0;
const highlighted = new Set(); // codes
let hovered = -1;
let isLasso = false;
let lasso = null; // corners while it is drawn, px
let colours = {};
let image = null; // ImageData and its pixels as integers
let isWaiting = false;
let isMoving = 0; // a timer, while the camera moves
const sheets = [...document.querySelectorAll("script.sheet")].map((element) => ({ element, bitmap: null, isAsked: false }));

// another order of painting than that of the rows, so that no class lies on top as a whole
const order = new Uint32Array(COUNT);
{
  const common = (a, b) => (b ? common(b, a % b) : a);
  let step = Math.max(1, Math.floor(COUNT * 0.618));
  while (common(step, COUNT) !== 1) step += 1;
  for (let i = 0, at = 0; i < COUNT; i += 1, at = (at + step) % COUNT) order[i] = at;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
const label = (i) => (codes[i] === NONE ? "" : data.classes[codes[i]].name);
const name = (i) => (data.paths ? data.paths[i] : `row ${i + 1}`);
const several = (n, noun, plural = `${noun}s`) => `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
const variable = (key) => getComputedStyle(document.documentElement).getPropertyValue(key).trim();
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.length === 4 ? hex[(at + 1) / 2].repeat(2) : hex.slice(at, at + 2), 16));
const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const mixed = (a, b, share) => a.map((value, k) => Math.round(share * value + (1 - share) * b[k]));
const classColour = (code) => {
  if (!data.classes.length) return variable("--c-only");
  return variable(code < COLOURS && code !== NONE ? `--c${code}` : "--c-other");
};

function recolour() {
  const paper = channels(variable("--panel"));
  const every = [...Array(COLOURS).keys(), NONE].map((code) => channels(classColour(code)));
  colours = {
    paper: packed(paper),
    ink: packed(channels(variable("--ink"))),
    plain: Uint32Array.from(every, packed),
    dim: Uint32Array.from(every, (colour) => packed(mixed(colour, paper, 0.18))),
  };
  repaint();
}

function layout() {
  const [width, height] = [map.clientWidth, map.clientHeight];
  const unit = camera.zoom * Math.max(1, Math.min((width / 2 - 24) / data.reach[0], (height / 2 - 24) / data.reach[1]));
  return { width, height, unit, left: width / 2 - camera.x * unit, top: height / 2 - camera.y * unit };
}
const onMap = (i, at) => [at.left + xy[2 * i] * at.unit, at.top + xy[2 * i + 1] * at.unit];

// offsets of the pixels within a disc, and the opacity of those on its edge
function disc(radius, width) {
  const full = [], edge = [], opacity = [], reach = Math.ceil(radius);
  for (let y = -reach; y <= reach; y += 1) for (let x = -reach; x <= reach; x += 1) {
    const covered = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
    if (covered > 0.97) full.push(y * width + x);
    else if (covered > 0.06) { edge.push(y * width + x); opacity.push(Math.round(256 * covered)); }
  }
  return { full: Int32Array.from(full), edge: Int32Array.from(edge), opacity: Int32Array.from(opacity), reach };
}

function stamp(pixels, at, { full, edge, opacity }, colour) {
  for (let k = 0; k < full.length; k += 1) pixels[at + full[k]] = colour;
  const even = colour & 0xff00ff, odd = (colour >>> 8) & 0xff;
  for (let k = 0; k < edge.length; k += 1) {
    const below = pixels[at + edge[k]], share = opacity[k], left = 256 - share;
    const pair = (((even * share) >>> 8) & 0xff00ff) + ((((below & 0xff00ff) * left) >>> 8) & 0xff00ff);
    pixels[at + edge[k]] = (0xff000000 | pair | (((odd * share + ((below >>> 8) & 0xff) * left) >>> 8) << 8)) >>> 0;
  }
}

// pixels of the canvas in a pixel of the page: while many points move, no more than one
function resolution() {
  const finest = Math.min(2, devicePixelRatio || 1);
  return isMoving && COUNT > MANY ? Math.min(1, finest) : finest;
}
function moving() {
  clearTimeout(isMoving);
  isMoving = setTimeout(() => {
    isMoving = 0;
    repaint();
  }, 150);
  repaint();
}

// the radius of a point, px: smaller where there are more, and larger within
function radius() {
  const base = COUNT < 500 ? 4.5 : COUNT < 5000 ? 3 : COUNT < 30000 ? 2 : 1.3;
  return Math.min(7, base * camera.zoom ** 0.3);
}

function paint() {
  isWaiting = false;
  const began = performance.now(), at = layout(), ratio = resolution();
  const width = Math.max(1, Math.round(at.width * ratio)), height = Math.max(1, Math.round(at.height * ratio));
  if (!image || image.data.width !== width || image.data.height !== height) {
    [canvas.width, canvas.height] = [width, height];
    const content = pen.createImageData(width, height);
    image = { data: content, pixels: new Uint32Array(content.data.buffer) };
  }
  const { pixels } = image, point = disc(radius() * ratio, width), ring = disc((radius() + 2) * ratio, width);
  pixels.fill(colours.paper);
  const [left, top, unit, edge] = [at.left * ratio, at.top * ratio, at.unit * ratio, ring.reach + 1];
  const inView = [];
  const isDimmed = highlighted.size || selectedCount, isRinged = selectedCount && selectedCount <= MAX_RINGED;
  for (let layer = isDimmed ? 0 : 1; layer < 2; layer += 1) {
    for (let k = 0; k < COUNT; k += 1) {
      const i = order[k], code = codes[i];
      const isFront = !isDimmed || (selectedCount ? selected[i] === 1 : highlighted.has(code));
      if (isFront !== (layer === 1)) continue;
      const x = (left + xy[2 * i] * unit) | 0, y = (top + xy[2 * i + 1] * unit) | 0;
      if (x < edge || y < edge || x >= width - edge || y >= height - edge) continue;
      if (inView.length <= MAX_PICTURES) inView.push(i);
      const colour = code < COLOURS ? code : COLOURS;
      if (isRinged && layer === 1) stamp(pixels, y * width + x, ring, colours.ink);
      stamp(pixels, y * width + x, point, layer === 1 ? colours.plain[colour] : colours.dim[colour]);
    }
  }
  pen.putImageData(image.data, 0, 0);
  if (inView.length <= MAX_PICTURES) paintPictures(inView, at, ratio);
  paintOverlay(at, ratio);
  canvas.dataset.ms = (performance.now() - began).toFixed(1);
  map.dataset.camera = [camera.x, camera.y, camera.zoom].join(" ");
}

function paintPictures(inView, at, ratio) {
  if (inView.length === COUNT && COUNT > 40) return; // all of them, from afar
  const side = Math.min(56, Math.max(20, 420 / Math.sqrt(inView.length))) * ratio;
  for (const i of inView) {
    if (tiles[i] < 0) continue;
    const bitmap = sheetOf(tiles[i]);
    if (!bitmap) continue;
    const [x, y] = onMap(i, at).map((middle) => middle * ratio - side / 2);
    const isFront = selectedCount ? selected[i] : !highlighted.size || highlighted.has(codes[i]);
    pen.globalAlpha = isFront ? 1 : 0.25;
    drawTile(pen, bitmap, tiles[i], x, y, side);
    pen.strokeStyle = selected[i] ? variable("--ink") : classColour(codes[i]);
    pen.lineWidth = (selected[i] ? 3 : 2) * ratio;
    pen.strokeRect(x, y, side, side);
  }
  pen.globalAlpha = 1;
}

// what changes with the pointer: the lasso, a ring around the image under it, the cross of the keyboard
function paintOverlay(at = layout(), ratio = canvas.width / at.width || 1) {
  if (overlay.width !== canvas.width || overlay.height !== canvas.height) [overlay.width, overlay.height] = [canvas.width, canvas.height];
  ink.setTransform(ratio, 0, 0, ratio, 0, 0);
  ink.clearRect(0, 0, at.width, at.height);
  ink.strokeStyle = variable("--ink");
  ink.lineWidth = 2;
  if (hovered >= 0) {
    ink.beginPath();
    ink.arc(...onMap(hovered, at), radius() + 4, 0, 7);
    ink.stroke();
  }
  if (lasso) {
    ink.beginPath();
    for (const corner of lasso) ink.lineTo(...corner);
    ink.closePath();
    ink.globalAlpha = 0.12;
    ink.fillStyle = variable("--ink");
    ink.fill();
    ink.globalAlpha = 1;
    ink.stroke();
  }
  if (!map.matches(":focus-visible")) return;
  const [x, y] = [at.width / 2, at.height / 2];
  ink.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    ink.moveTo(x + 5 * dx, y + 5 * dy);
    ink.lineTo(x + 14 * dx, y + 14 * dy);
  }
  ink.stroke();
}

function repaint() {
  if (!isWaiting) requestAnimationFrame(paint);
  isWaiting = true;
}

// thumbnails: a sheet is decoded when one of its tiles is first displayed
function sheetOf(tile) {
  const sheet = sheets[Math.floor(tile / PER_SHEET)];
  if (!sheet.isAsked) {
    sheet.isAsked = true;
    createImageBitmap(new Blob([bytes(sheet.element.textContent)], { type: "image/jpeg" })).then((bitmap) => {
      sheet.bitmap = bitmap;
      map.dataset.sheets = sheets.filter((each) => each.bitmap).length;
      repaint();
      listSelection();
      hover(hovered);
    });
  }
  return sheet.bitmap;
}
function drawTile(context, bitmap, tile, x, y, side) {
  const at = tile % PER_SHEET, px = data.side;
  context.drawImage(bitmap, (at % data.columns) * px, Math.floor(at / data.columns) * px, px, px, x, y, side, side);
}

// camera
function zoom(factor, x = map.clientWidth / 2, y = map.clientHeight / 2) {
  const before = layout().unit;
  camera.zoom = Math.min(MAX_ZOOM, Math.max(0.5, camera.zoom * factor));
  const change = 1 / before - 1 / layout().unit;
  camera.x += (x - map.clientWidth / 2) * change;
  camera.y += (y - map.clientHeight / 2) * change;
  move(0, 0);
}
function move(right, down) {
  const { unit } = layout(), limit = (value) => Math.min(1, Math.max(-1, value));
  camera.x = limit(camera.x + right / unit);
  camera.y = limit(camera.y + down / unit);
  moving();
}
function fit() {
  camera = { x: 0, y: 0, zoom: 1 };
  repaint();
}

// the image nearest to a position, within a distance
function nearest(x, y, reach) {
  const at = layout();
  let best = -1, least = reach * reach;
  for (let i = 0; i < COUNT; i += 1) {
    const dx = at.left + xy[2 * i] * at.unit - x, dy = at.top + xy[2 * i + 1] * at.unit - y;
    const distance = dx * dx + dy * dy;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

// the card of the image under the pointer
function hover(i) {
  hovered = i;
  map.classList.toggle("over", i >= 0);
  card.style.display = i < 0 ? "none" : "block";
  if (i >= 0) {
    const at = layout(), [x, y] = onMap(i, at), picture = card.querySelector("canvas");
    const bitmap = tiles[i] >= 0 ? sheetOf(tiles[i]) : null;
    picture.hidden = !bitmap;
    picture.style.display = bitmap ? "block" : "none";
    if (bitmap) drawTile(picture.getContext("2d"), bitmap, tiles[i], 0, 0, picture.width);
    card.querySelector("b").textContent = name(i);
    card.querySelector("span").textContent = label(i) + (tiles[i] < 0 && sheets.length ? " (no thumbnail)" : "");
    const { offsetWidth, offsetHeight } = card;
    card.style.left = `${Math.max(0, x + 14 + offsetWidth > at.width ? x - 14 - offsetWidth : x + 14)}px`;
    card.style.top = `${Math.max(0, Math.min(at.height - offsetHeight, y - offsetHeight / 2))}px`;
  }
  paintOverlay();
}
