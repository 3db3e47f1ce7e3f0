/* Shows the rows of a table that hold every word of what is typed into its search field, and counts them. */
for (const field of document.querySelectorAll("input[data-searches]")) {
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const table = document.getElementById(field.dataset.searches);
  const count = document.getElementById(field.getAttribute("aria-describedby"));
  const texts = new Map([...table.tBodies[0].rows].map((row) => [row, plain(row.textContent)]));
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/);
    for (const [row, text] of texts) row.hidden = !words.every((word) => text.includes(word));
    const shown = [...texts.keys()].filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${texts.size} shown`;
  });
}
