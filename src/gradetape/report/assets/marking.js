/* Marks a written answer with the keyboard: a digit applies an item of the rubric or takes it off, x says that nothing
   applies, c begins the comment, s or Ctrl+Enter saves, n and p lead to the next answer that waits and to the previous
   student. In a field, Escape leads back to the keys. Nothing ticked is no mark: the browser refuses to send it. */
const form = document.querySelector("form[data-marking]");
const items = [...form.querySelectorAll("input[name=item]")];
const sum = form.querySelector("output");
const none = form.querySelector("input[name=none]");
const adjust = form.querySelector("input[name=points]");
const count = () => {
  const applied = items.filter((each) => each.checked).map((each) => Number(each.dataset.points));
  const points = applied.reduce((all, each) => all + each, Number(adjust.value) || 0);
  const both = none.checked && applied.length;
  const empty = !none.checked && !applied.length && !Number(adjust.value);
  none.setCustomValidity(
    both ? "Items are ticked too: choose one of the two." : empty ? "Tick what applies, or that nothing applies." : "",
  );
  sum.textContent = String(Math.round(1e6 * Math.min(Math.max(points, 0), Number(form.dataset.most))) / 1e6);
};
form.addEventListener("input", count);
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("textarea, input:not([type=checkbox]), select");
  if (event.key === "Enter" && event.ctrlKey) return form.requestSubmit();
  if (event.key === "Escape" && field) return field.blur();
  if (field || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const item = event.key === "x" ? none : items[event.key === "0" ? 9 : Number(event.key) - 1];
  const link = { n: "next", p: "prev" }[event.key];
  if (item) {
    item.checked = !item.checked;
    count();
  } else if (event.key === "c") form.querySelector("textarea").focus();
  else if (event.key === "s") form.requestSubmit();
  else if (link) document.querySelector(`a[rel=${link}]`)?.click();
  else return;
  event.preventDefault();
});
count();
