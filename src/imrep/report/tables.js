// tables: a click on a heading sorts every body by it, costs in ascending order first
function sortBy(table, column) {
  const heads = $$("thead th", table);
  const head = heads[column];
  const isText = head.dataset.sort === "text";
  const first = head.dataset.sort ? "ascending" : "descending"; // words and costs ascend
  const second = head.dataset.sort ? "descending" : "ascending";
  const order = head.getAttribute("aria-sort") === first ? second : first;
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const key = (row) => {
    const cell = row.children[column];
    if (isText) return ($(".spec", cell) || cell).textContent;
    return "value" in cell.dataset ? Number(cell.dataset.value) : null;
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null); // missing values last
    return sign * (isText ? a.localeCompare(b) : a - b);
  };
  for (const body of table.tBodies) {
    body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
  }
  announce(`Sorted by ${head.textContent}, ${order}.`);
}

for (const table of $$("table.numbers")) {
  $$("thead th", table).forEach((head, column) => {
    const cells = $$(`tbody tr > :nth-child(${column + 1})`, table);
    if (!cells.some((cell) => "value" in cell.dataset)) head.dataset.sort = "text";
    const button = element("button", { type: "button" }, ...head.childNodes);
    button.addEventListener("click", () => sortBy(table, column));
    head.append(button);
  });
}
