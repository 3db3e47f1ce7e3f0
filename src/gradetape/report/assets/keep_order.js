/* Keeps the order and the filter of the students in this tab when a link is followed, by the folder of their pages:
   follow_order.js leads through these pages in that order. */
const students = document.getElementById("student-table");
const folder = students?.querySelector("tbody th a");
if (folder) {
  const sorted = () => {
    const heading = students.querySelector("th[aria-sort]");
    return `${heading.textContent.trim()}, ${heading.getAttribute("aria-sort")}`;
  };
  const usual = sorted();
  const keep = (event) => {
    if (!event.target.closest("a")) return;
    const links = [...students.querySelectorAll("tbody tr:not([hidden]) th a")];
    const rows = links.map((link) => [link.pathname.split("/").at(-1), link.textContent]);
    const filter = document.querySelector("input[data-searches=student-table]").value.trim() || "all students";
    const about = sorted() === usual ? filter : `${filter}, sorted by ${sorted()}`;
    try {
      sessionStorage.setItem(`gradetape ${new URL(".", folder.href)}`, JSON.stringify({ about, rows }));
    } catch {
      // Without a storage, the pages keep the links that they were written with.
    }
  };
  for (const kind of ["click", "auxclick"]) document.addEventListener(kind, keep);
}
