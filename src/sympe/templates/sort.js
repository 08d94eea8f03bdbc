// Sort a table by a column: numbers by value, a missing one last; a second click turns the order round.
for (const button of document.querySelectorAll("th button")) button.onclick = () => {
  const head = button.parentElement, place = head.cellIndex, body = head.closest("table").tBodies[0];
  const sign = head.ariaSort === "ascending" ? -1 : 1;
  const number = row => parseFloat((row.cells[place].textContent.match(/-?[\d.,]+|∞/) || [""])[0].replace(/,/g, "").replace("∞", "Infinity"));
  const isNumber = head.classList.contains("number");
  const compare = (a, b) => isNumber ? isNaN(a) - isNaN(b) || (a === b ? 0 : sign * (a - b)) || 0 : sign * a.localeCompare(b);
  const value = row => isNumber ? number(row) : row.cells[place].textContent;
  for (const other of head.parentElement.cells) other.ariaSort = null;
  head.ariaSort = sign > 0 ? "ascending" : "descending";
  body.append(...[...body.rows].sort((a, b) => compare(value(a), value(b))));
};
