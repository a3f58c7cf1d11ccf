// print: every table is open, and closed again afterwards
let closed = [];
addEventListener("beforeprint", () => {
  const now = $$("details:not([open])");
  closed = [...closed, ...now];
  for (const each of now) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of closed) each.open = false;
  closed = [];
});
