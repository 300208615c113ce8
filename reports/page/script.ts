/** Makes tables sortable: the first press on a head sorts upwards, the second downwards, the third restores the order. */
export const SCRIPT = `
document.documentElement.classList.add("script");
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const order = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      const next = was === null ? "ascending" : was === "ascending" ? "descending" : null;
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next !== null) head.setAttribute("aria-sort", next);
      const textOf = (row) => (row.cells[column].querySelector(".main") ?? row.cells[column]).textContent;
      const numberOf = (row) => Number.parseFloat(textOf(row).replace("\\u2212", "-"));
      const sign = next === "descending" ? -1 : 1;
      const compare = (a, b) => {
        const [x, y] = [numberOf(a), numberOf(b)];
        if (Number.isNaN(x) && Number.isNaN(y)) return sign * textOf(a).localeCompare(textOf(b));
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1; // no number: last either way
        return sign * (x - y);
      };
      body.append(...(next === null ? order : order.toSorted(compare)));
    });
  });
}
`;
