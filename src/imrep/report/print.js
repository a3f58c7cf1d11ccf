// print: every table is open, and closed again afterwards
let closed = [];
addEventListener("beforeprint", () => {
  closed = $$("details:not([open])");
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of closed) each.open = false;
});
