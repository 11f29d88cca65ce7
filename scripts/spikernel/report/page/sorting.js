// Tables that sort by a click on a heading. The numbers that cells are sorted by come from Python;
// texts are compared as they stand. A row that spans columns, or has no number, stays at the end.
"use strict";
(() => {
  const valueOf = (row, place) => {
    const cell = row.cells[place];
    if (!cell || cell.colSpan > 1 || cell.textContent === "–") return null;
    const number = Number(cell.dataset.order ?? cell.textContent.replaceAll(",", ""));
    return Number.isNaN(number) || cell.textContent === "" ? cell.textContent : number;
  };

  function compare(first, second) {
    if (first === null || second === null) return (first === null) - (second === null);
    if (typeof first === "number" && typeof second === "number") return first - second;
    return String(first).localeCompare(String(second), "en", { numeric: true });
  }

  function sort(head) {
    const table = head.closest("table");
    const place = head.cellIndex;
    // Numbers begin with the largest, texts with the first.
    const begin = head.classList.contains("number") ? "descending" : "ascending";
    const other = begin === "descending" ? "ascending" : "descending";
    const direction = head.getAttribute("aria-sort") === begin ? other : begin;
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, place), row]);
    rows.sort(([first], [second]) => {
      const order = compare(first, second);
      return first === null || second === null ? order : sign * order;
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }

  for (const table of document.querySelectorAll(".scroll table:not(.heat)")) {
    if (table.tBodies[0].rows.length < 2) continue;
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = head.textContent;
      head.replaceChildren(button);
    }
  }
  // One listener, because cards with tables are copied.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.sort");
    if (button) sort(button.parentElement);
  });
})();
