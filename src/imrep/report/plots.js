// plots: one of two forms, drawn again when the width changes; colours are CSS variables
const WIDE = 700;
const states = new Map(); // figure -> form, width and Vega view

async function draw(figure) {
  const canvas = $(".canvas", figure);
  const width = canvas.clientWidth;
  if (!width) return;
  const form = width >= WIDE ? "wide" : "narrow";
  const state = states.get(figure);
  if (state && state.form === form && state.width === width) return;
  states.set(figure, { form, width });
  const chart = data.charts[figure.dataset.chart][form];
  const options = { actions: false, renderer: "svg", ast: true, tooltip: { theme: "page" } };
  if (state && state.result) state.result.finalize();
  const result = await vegaEmbed(canvas, chart, options);
  // the figure's own label and description are what a screen reader reads
  $("svg", canvas)?.setAttribute("aria-hidden", "true");
  states.set(figure, { form, width, result });
  figure.dataset.drawn = form;
}

// one after the other, with time for input in between
let drawing = Promise.resolve();
const pause = () => new Promise((resume) => setTimeout(resume));
const observer = new ResizeObserver((entries) => {
  for (const entry of entries) {
    drawing = drawing.then(pause).then(() => draw(entry.target.closest("figure")));
  }
});
for (const figure of $$("figure.plot")) observer.observe($(".canvas", figure));
