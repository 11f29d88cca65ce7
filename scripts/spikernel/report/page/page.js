// The interactive trade-off. Everything that is decided was decided before, in Python: for each
// number format the page holds the models in the order of choice, and the first that fits is taken.
"use strict";
(async () => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("explorer-data").textContent);
  const controls = {
    dataset: byId("dataset"), cost: byId("cost"), precision: byId("precision"),
    slider: byId("budget"), exact: byId("budget-mb"), other: byId("other-kb"), model: byId("model"),
    published: byId("published-shown"),
  };
  const chips = document.querySelectorAll("[data-budget]");
  byId("explorer").hidden = false;

  const { view } = await vegaEmbed("#chart", data.spec, {
    mode: "vega-lite", renderer: "svg", actions: false, tooltip: false, hover: false,
    defaultStyle: false,
    // Vega takes a signal for the title of an axis, Vega-Lite does not.
    patch: (vega) => {
      for (const axis of vega.axes) if (axis.scale === "y" && axis.title) axis.title = { signal: "y_title" };
      return vega;
    },
  });

  const short = (number, digits = 3) =>
    Number(number.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 12 });
  // What is needed is rounded up, so that a budget of so much suffices.
  const least = (number) => {
    const step = 10 ** (Math.floor(Math.log10(number)) - 2);
    return short(Math.ceil(Number((number / step).toPrecision(9))) * step);
  };
  const dataset = () => data.datasets[controls.dataset.value];
  const unit = (format = controls.precision.value) => data.units[format];
  const limited = () => (unit() === "MB" ? "weights" : controls.precision.value);
  const budget = () => Number(controls.exact.value);
  // A device has flash and RAM: beside a budget of the one, the other may be limited, too.
  const otherName = (format = controls.precision.value) => {
    const name = { flash: "ram", ram: "flash" }[format];
    return name in data.units ? name : "";
  };
  const other = () => (controls.other.value === "" ? "" : otherName());
  const otherBudget = () => Number(controls.other.value);
  const needs = (place, format = controls.precision.value) => dataset().memory[format][place];
  const fitsOther = (place) => !other() || needs(place, other()) <= otherBudget();
  const smallest = (places, format) => Math.min(...places.map((place) => needs(place, format)));
  const cardOf = (place) => byId(`model-${place}`);

  // The slider runs over the memory of all models, logarithmically, with a little room.
  const ends = () => {
    const sizes = Object.values(dataset().memory[controls.precision.value]);
    return [Math.min(...sizes) / 1.3, Math.max(...sizes) * 1.15];
  };
  const toBudget = (position) => {
    const [low, high] = ends();
    return Number((low * (high / low) ** (position / 1000)).toPrecision(3));
  };
  const toPosition = (size) => {
    const [low, high] = ends();
    return (1000 * Math.log(size / low)) / Math.log(high / low);
  };

  function chosen(size) {
    const order = dataset().preferred[controls.precision.value];
    return order.find((place) => needs(place) <= size && fitsOther(place)) ?? -1;
  }

  const within = (size, format) => `${short(size)} ${unit(format)} (${data.limits[format]})`;
  function describe(best) {
    const precision = controls.precision.value;
    const limits = [within(budget(), precision), ...(other() ? [within(otherBudget(), other())] : [])];
    if (best >= 0) {
      const name = cardOf(best).dataset.name;
      return `Best by ${data.judged[precision]} accuracy within ${limits.join(" and ")}: ${name}.`;
    }
    const left = dataset().models.filter(fitsOther);
    if (!left.length) {
      const needed = least(smallest(dataset().models, other()));
      return `No model fits ${limits[1]}: the smallest needs ${needed} ${unit()}.`;
    }
    const which = other() ? `the smallest within ${limits[1]}` : "the smallest";
    return `No model fits ${limits.join(" and ")}: ${which} needs ${least(smallest(left))} ${unit()}.`;
  }

  // A card of the section below, without what only the original may have.
  function copyOf(place) {
    const card = cardOf(place).cloneNode(true);
    card.removeAttribute("id");
    return card;
  }

  let shown = -1;
  function show(place) {
    shown = place;
    controls.model.value = String(place);
    const card = copyOf(place);
    const files = card.querySelector(".paths");
    if (files) files.open = true;
    byId("card").replaceChildren(card);
    mark(place);
    view.runAsync();
    linkView();
  }

  // The model that is looked at, and those that the test images do not tell apart from it.
  function mark(place) {
    const alike = dataset().alike[controls.precision.value][place];
    view.signal("model", place).signal("alike", alike ?? []);
    byId("alike-key").hidden = !alike?.length;
  }

  // The link holds all that is chosen; opened again, it restores the view.
  function linkView() {
    byId("view-link").href = "#" + new URLSearchParams({
      data: controls.dataset.value, cost: controls.cost.value, weights: controls.precision.value,
      budget: controls.exact.value, other: controls.other.value, model: controls.model.value,
      published: controls.published?.checked ? "1" : "0",
    });
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
      .signal("other", other()).signal("other_budget", otherBudget())
      .signal("published", published)
      .signal("x_title", data.costs[controls.cost.value])
      .signal("y_title", data.accuracies[controls.cost.value])
      .signal("x_low", xLow).signal("x_high", xHigh)
      .signal("y_low", yLow).signal("y_high", yHigh)
      .signal("chance", dataset().chance ?? -1);
    mark(Number(controls.model.value));
    view.runAsync();
    const { chance } = dataset();
    const outside = chance < yLow ? ", below the chart" : chance > yHigh ? ", above the chart" : "";
    const where = outside || " (dotted line)";
    byId("chance-key").textContent = chance === null ? "" : `chance: ${short(chance)} %${where}`;
    const key = byId("published-key");
    if (key) key.hidden = !published;
    linkView();
  }

  let lastBudget = 0;
  function refuse(control) {
    control.setAttribute("aria-invalid", "true");
    byId("verdict").textContent = `A budget is a number of ${unit()} above 0.`;
    byId("verdict").classList.add("none");
  }

  function setBudget(size, moveSlider = true) {
    const sizes = [[controls.exact, size], ...(other() ? [[controls.other, otherBudget()]] : [])];
    for (const [control, value] of sizes) {
      if (!(value > 0 && Number.isFinite(value))) return refuse(control);
      control.removeAttribute("aria-invalid");
    }
    // What is being typed, such as "1.0" on the way to 1.05, stays as it is.
    if (Number(controls.exact.value) !== size) controls.exact.value = String(size);
    if (moveSlider) controls.slider.value = String(toPosition(size));
    byId("unit").textContent = unit();
    byId("other-limit").hidden = !otherName();
    byId("other-name").textContent = data.limits[otherName()] ?? "";
    for (const chip of chips) chip.hidden = chip.dataset.limited !== limited();
    const best = chosen(size);
    byId("verdict").textContent = describe(best);
    byId("verdict").classList.toggle("none", best < 0);
    controls.slider.setAttribute("aria-valuetext", `${short(size)} ${unit()}. ${describe(best)}`);
    lastBudget = size;
    if (best >= 0) show(best);
    else if (!dataset().models.includes(shown)) show(dataset().models[0]);
    draw();
  }

  // Another format keeps the budget, in its own unit; the two limits of a device change places.
  let format = controls.precision.value;
  function changeFormat(name) {
    let megabytes = (budget() > 0 ? budget() : lastBudget) * data.mb[format];
    if (name === otherName(format) && controls.other.value !== "") {
      const before = controls.exact.value;
      megabytes = otherBudget() * data.mb[name];
      controls.other.value = before;
    }
    format = controls.precision.value = name;
    setBudget(Number((megabytes / data.mb[name]).toPrecision(6)));
  }

  function listModels() {
    controls.model.replaceChildren(
      ...dataset().models.map((place) => new Option(cardOf(place).dataset.name, String(place))),
    );
  }

  // Return whether the address holds a view; what it names and is not there stays as it is.
  function restore() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (!(Number(wanted.get("budget")) > 0)) return false;
    const names = { dataset: "data", cost: "cost", precision: "weights" };
    for (const [control, name] of Object.entries(names)) {
      const options = [...controls[control].options].map((option) => option.value);
      if (options.includes(wanted.get(name))) controls[control].value = wanted.get(name);
    }
    format = controls.precision.value;
    controls.other.value = wanted.get("other") ?? "";
    if (controls.published) controls.published.checked = wanted.get("published") === "1";
    listModels();
    setBudget(Number(wanted.get("budget")));
    const place = Number(wanted.get("model") ?? NaN);
    if (dataset().models.includes(place)) show(place);
    return true;
  }

  // Begin as the headline does: the model of the largest budget, and the least that selects it.
  function begin() {
    listModels();
    if (unit() !== "MB") return setBudget(toBudget(1000));
    const fitting = dataset().budgets_mb.filter((item) => chosen(item) >= 0);
    const best = chosen(fitting.at(-1));
    setBudget(fitting.find((item) => chosen(item) === best) ?? toBudget(1000));
  }

  controls.dataset.addEventListener("change", begin);
  controls.cost.addEventListener("change", () => {
    // Memory in a number format is looked at with budgets in that format.
    const name = controls.cost.value.replace("memory_", "");
    changeFormat(name in dataset().preferred ? name : format);
  });
  controls.precision.addEventListener("change", () => {
    const name = controls.precision.value;
    if (controls.cost.value.startsWith("memory_")) controls.cost.value = `memory_${name}`;
    changeFormat(name);
  });
  controls.slider.addEventListener("input", () => setBudget(toBudget(Number(controls.slider.value)), false));
  for (const control of [controls.exact, controls.other]) {
    control.addEventListener("input", () => setBudget(budget()));
  }
  controls.model.addEventListener("change", () => show(Number(controls.model.value)));
  controls.published?.addEventListener("change", draw);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", restore);
  // On paper nothing can be unfolded.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details:not([open])")) {
      folded.open = folded.dataset.folded = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const folded of document.querySelectorAll("details[data-folded]")) {
      folded.open = false;
      delete folded.dataset.folded;
    }
  });
  for (const chip of chips) {
    chip.addEventListener("click", () => setBudget(Number(chip.dataset.budget)));
  }

  watchPoints(view, { short, copyOf, show, costs: data.costs });

  // As wide as its place, and so low that the budget is on the screen with it.
  function resize() {
    const width = byId("chart").clientWidth;
    const most = Math.min(500, innerHeight * 0.46);
    if (width) view.width(width).height(Math.max(280, Math.min(most, width * 0.68))).runAsync();
  }
  new ResizeObserver(resize).observe(byId("chart"));

  listModels();
  if (!restore()) begin();
  resize();
  window.tradeoff = view; // for a look from the browser's console, and for the tests
})();
