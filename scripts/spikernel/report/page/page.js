// The interactive trade-off. Everything that is decided was decided before, in Python: for each
// number format the page holds which model is chosen from which memory budget on.
"use strict";
(async () => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("explorer-data").textContent);
  const controls = {
    dataset: byId("dataset"), cost: byId("cost"), precision: byId("precision"),
    slider: byId("budget"), exact: byId("budget-mb"), model: byId("model"),
    published: byId("published-shown"),
  };
  byId("explorer").hidden = false;

  const { view } = await vegaEmbed("#chart", data.spec, {
    mode: "vega-lite", renderer: "svg", actions: false, tooltip: false, hover: false,
    defaultStyle: false,
  });

  const short = (number, digits = 3) =>
    Number(number.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 12 });
  const dataset = () => data.datasets[controls.dataset.value];
  const budget = () => Number(controls.exact.value);
  const cardOf = (place) => byId(`model-${place}`);

  // The slider runs over the memory of all models, logarithmically, with a little room.
  const ends = () => {
    const [low, high] = dataset().memory_mb[controls.precision.value];
    return [low / 1.3, high * 1.15];
  };
  const toBudget = (position) => {
    const [low, high] = ends();
    return Number((low * (high / low) ** (position / 1000)).toPrecision(3));
  };
  const toPosition = (megabytes) => {
    const [low, high] = ends();
    return megabytes > 0 ? (1000 * Math.log(megabytes / low)) / Math.log(high / low) : 0;
  };

  function chosen(megabytes) {
    let found = -1;
    for (const [memory, place] of dataset().steps[controls.precision.value]) {
      if (memory <= megabytes) found = place;
    }
    return found;
  }

  function describe(best) {
    const precision = controls.precision.value;
    if (best < 0) {
      const smallest = dataset().memory_mb[precision][0];
      return `No model fits ${short(budget())} MB (${precision}): the smallest needs ${short(smallest)} MB.`;
    }
    const name = cardOf(best).dataset.name;
    return `Best by validation accuracy within ${short(budget())} MB (${precision}): ${name}.`;
  }

  // A card of the section below, without what only the original may have.
  function copyOf(place) {
    const card = cardOf(place).cloneNode(true);
    card.removeAttribute("id");
    return card;
  }

  function show(place) {
    controls.model.value = String(place);
    const card = copyOf(place);
    const files = card.querySelector(".paths");
    if (files) files.open = true;
    byId("card").replaceChildren(card);
    view.signal("model", place).runAsync();
  }

  function draw() {
    const published = Boolean(controls.published?.checked);
    const axes = dataset().axes[controls.cost.value];
    const [xLow, xHigh, yLow, yHigh] = published ? axes.with_published : axes.own;
    view
      .signal("dataset", controls.dataset.value)
      .signal("cost", controls.cost.value)
      .signal("precision", controls.precision.value)
      .signal("budget", budget())
      .signal("published", published)
      .signal("x_title", data.costs[controls.cost.value])
      .signal("x_low", xLow).signal("x_high", xHigh)
      .signal("y_low", yLow).signal("y_high", yHigh)
      .runAsync();
    const key = byId("published-key");
    if (key) key.hidden = !published;
  }

  function setBudget(megabytes, moveSlider = true) {
    controls.exact.value = String(megabytes);
    if (moveSlider) controls.slider.value = String(toPosition(megabytes));
    const best = chosen(megabytes);
    byId("verdict").textContent = describe(best);
    byId("verdict").classList.toggle("none", best < 0);
    controls.slider.setAttribute("aria-valuetext", `${short(megabytes)} MB. ${describe(best)}`);
    if (best >= 0) show(best);
    draw();
  }

  // Begin as the headline does: the model of the largest budget, and the least that selects it.
  function begin() {
    controls.model.replaceChildren(
      ...dataset().models.map((place) => new Option(cardOf(place).dataset.name, String(place))),
    );
    const fitting = dataset().budgets_mb.filter((item) => chosen(item) >= 0);
    const best = chosen(fitting.at(-1));
    setBudget(fitting.find((item) => chosen(item) === best) ?? toBudget(1000));
  }

  controls.dataset.addEventListener("change", begin);
  controls.cost.addEventListener("change", () => {
    // Memory in a number format is looked at with budgets in that format.
    const format = controls.cost.value.replace("memory_", "");
    if (format in dataset().steps) controls.precision.value = format;
    setBudget(budget());
  });
  controls.precision.addEventListener("change", () => {
    const format = controls.precision.value;
    if (controls.cost.value.startsWith("memory_")) controls.cost.value = `memory_${format}`;
    setBudget(budget());
  });
  controls.slider.addEventListener("input", () => setBudget(toBudget(Number(controls.slider.value)), false));
  controls.exact.addEventListener("input", () => setBudget(budget()));
  controls.model.addEventListener("change", () => show(Number(controls.model.value)));
  controls.published?.addEventListener("change", draw);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const chip of document.querySelectorAll("[data-budget]")) {
    chip.addEventListener("click", () => setBudget(Number(chip.dataset.budget)));
  }

  // Hovering shows the cell; a click or tap keeps it beside the chart.
  const tip = byId("tip");
  const hide = () => { tip.hidden = true; };
  function place(event) {
    const margin = 14;
    const { width, height } = tip.getBoundingClientRect();
    let left = event.clientX + margin;
    if (left + width > innerWidth - 8) left = Math.max(8, event.clientX - width - margin);
    const top = Math.min(event.clientY + margin, innerHeight - height - 8);
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(8, top)}px`;
  }
  function hover(event, item) {
    const point = item?.datum;
    if (!point || !["measured", "published"].includes(point.kind)) return hide();
    if (tip.dataset.shown !== `${point.kind} ${point.name}` || tip.hidden) {
      tip.replaceChildren(...(point.kind === "measured" ? ofModel(point) : ofPublished(point)));
      tip.dataset.shown = `${point.kind} ${point.name}`;
      tip.hidden = false;
    }
    place(event);
  }
  function line(tag, text) {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }
  function ofModel(point) {
    const card = copyOf(point.model);
    const picture = card.querySelector("svg.cell");
    const parts = [line("strong", point.name), line("p", numbers(point)), card.querySelector(".archid")];
    return picture ? [parts[0], picture, ...parts.slice(1)] : parts;
  }
  function ofPublished(point) {
    return [line("strong", point.name), line("p", numbers(point)), line("p", "Published value, not measured here.")];
  }
  function numbers(point) {
    const spread = point.low === undefined ? "" : ` ± ${((point.high - point.low) / 2).toFixed(2)}`;
    const bound = point.bound ? "below " : "";
    return `${point.y.toFixed(2)}${spread} % · ${data.costs[point.cost]}: ${bound}${short(point.x)}`;
  }
  view.addEventListener("pointermove", hover);
  view.addEventListener("click", (_, item) => { if (item?.datum?.model >= 0) show(item.datum.model); });
  byId("chart").addEventListener("pointerleave", hide);
  addEventListener("scroll", hide, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // As wide as its place, and not taller than a phone shows.
  function resize() {
    const width = byId("chart").clientWidth;
    if (width) view.width(width).height(Math.max(280, Math.min(500, width * 0.68))).runAsync();
  }
  new ResizeObserver(resize).observe(byId("chart"));

  begin();
  resize();
  window.tradeoff = view; // for a look from the browser's console, and for the tests
})();
