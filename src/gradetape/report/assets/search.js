/* Shows the rows of a table that hold every word of what is typed into its search field, and counts them. A word with a
   colon is a filter, such as is:late, which a row has or not. */
for (const field of document.querySelectorAll("input[data-searches]")) {
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const table = document.getElementById(field.dataset.searches);
  const count = document.getElementById(field.getAttribute("aria-describedby"));
  const filters = (row) => (row.dataset.filters ?? "").split("\n").map((each) => plain(each).replace(/ /g, "_"));
  const texts = new Map([...table.tBodies[0].rows].map((row) => [row, [plain(row.textContent), filters(row)]]));
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/);
    const fits = ([text, own]) => words.every((word) => own.includes(word) || text.includes(word));
    for (const [row, found] of texts) row.hidden = !fits(found);
    const shown = [...texts.keys()].filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${texts.size} shown`;
  });
  for (const button of field.parentElement.querySelectorAll("button[data-search]")) {
    button.addEventListener("click", () => {
      field.value = button.dataset.search;
      field.dispatchEvent(new Event("input"));
    });
  }
}
