// Progressive enhancement: without scripts the tables, static plots and images remain.
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

// a long name that may be broken after punctuation
function breakable(name) {
  return name.split(/(?<=[,:=+/_])/).flatMap((part) => [part, element("wbr")]);
}

// what changed, for screen readers
function announce(text) {
  $("#status").textContent = text;
}

// contents
for (const section of $$("main > section")) {
  const link = element("a", { href: "#" + section.id }, $("h2", section).textContent);
  $("#contents").append(element("li", {}, link));
}
