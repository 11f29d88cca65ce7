// Hovering over a point of the chart shows the cell; a click or tap keeps it beside the chart.
"use strict";
function watchPoints(view, { short, copyOf, show, costs }) {
  const tip = document.getElementById("tip");
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
    const ends = point.least === undefined ? "" : ` (${point.least.toFixed(1)}–${point.most.toFixed(1)})`;
    const bound = point.bound ? "below " : "";
    return `${point.y.toFixed(2)}${spread} %${ends} · ${costs[point.cost]}: ${bound}${short(point.x)}`;
  }
  view.addEventListener("pointermove", hover);
  view.addEventListener("click", (_, item) => { if (item?.datum?.model >= 0) show(item.datum.model); });
  document.getElementById("chart").addEventListener("pointerleave", hide);
  addEventListener("scroll", hide, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
}
