/* Leads to the students before and after in the order and the filter that keep_order.js kept; the links stay as they
   were written if nothing was kept in this tab, or not this page. What was kept becomes text, and links to pages of the
   same folder alone. */
const kept = () => {
  try {
    return JSON.parse(sessionStorage.getItem(`gradetape ${new URL(".", location)}`)) ?? {};
  } catch {
    return {};
  }
};
const isText = (value) => typeof value === "string";
const isRow = (row) => Array.isArray(row) && row.length === 2 && row.every(isText) && /^[a-z0-9_-]+\.html$/.test(row[0]);
const { about, rows } = kept();
const valid = isText(about) && Array.isArray(rows) && rows.every(isRow);
const place = valid ? rows.findIndex(([page]) => location.pathname.endsWith(`/${page}`)) : -1;
if (place >= 0) {
  const nav = document.querySelector("header nav");
  const made = (tag, fields, ...content) => {
    const element = Object.assign(document.createElement(tag), fields);
    element.append(...content);
    return element;
  };
  const lead = (rel, word, [page, name]) => {
    nav.append(" ", made("a", { rel, href: page }, `${word}: `, made("bdi", {}, name)));
  };
  for (const link of nav.querySelectorAll("a[rel]")) link.remove();
  if (place > 0) lead("prev", "Previous", rows[place - 1]);
  if (place < rows.length - 1) lead("next", "Next", rows[place + 1]);
  nav.append(" ", made("span", {}, `${place + 1} of ${rows.length} in: ${about}`));
}
