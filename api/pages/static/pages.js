"use strict";
// Printing, folding the navigation up again, showing a phone a long list by and by, ticking a whole list, keys that decide nothing unasked, a word while a long form is under way, one about a file that is too large to be sent, a question before a draft is left behind, and naming the cells of tables that a phone shows as a list; everything else works without a script.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-busy]")) event.target.classList.add("is-busy");
});
document.querySelectorAll("input[data-most]").forEach((input) => {
  input.addEventListener("change", () => input.setCustomValidity(input.files[0]?.size > Number(input.dataset.most) ? input.dataset.tooLarge : ""));
});
document.querySelectorAll("[data-tick-all]").forEach((all) => {
  all.hidden = false;
  all.addEventListener("change", (event) => {
    event.target.form.querySelectorAll("[type=checkbox]").forEach((box) => { box.checked = event.target.checked; });
    event.target.form.querySelectorAll("[data-more]").forEach((list) => unfold(list, Infinity));  // nothing is ticked that is not seen
  });
});
const fold = (except) => document.querySelectorAll(".top details[open]").forEach((menu) => { menu.open = menu.contains(except); });
["click", "focusin"].forEach((kind) => document.addEventListener(kind, (event) => fold(event.target)));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".top details[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});
// Where a form has several buttons, Enter in a field would press the first: it leads to them instead.
document.addEventListener("keydown", (event) => {
  const isWritten = event.key === "Enter" && event.target.matches("input:not([type=checkbox], [type=file])");
  const ways = isWritten && event.target.form ? event.target.form.querySelectorAll("button") : [];
  if (ways.length > 1) {
    event.preventDefault();
    ways[0].focus();
  }
});
// What was changed in a draft is kept nowhere but in its form: its own buttons take it along, all other ways out ask first.
if (document.querySelector("form[data-draft]")) {
  let isTaken = false;
  document.addEventListener("input", ({ target: { form } }) => { if (form?.dataset.draft === "") form.dataset.draft = "changed"; });
  document.addEventListener("submit", ({ target }) => { isTaken = "draft" in target.dataset; });
  window.addEventListener("pageshow", () => { isTaken = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!isTaken && document.querySelector("form[data-draft=changed]")) event.preventDefault();
  });
}
// The style sheet makes each row of these a block, and a block has no column above it; the roles keep it a table by ear.
const ROLES = { thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };
function nameCells(table) {
  const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
  table.setAttribute("role", "table");
  table.querySelectorAll("thead, tbody, tr, th, td").forEach((part) => part.setAttribute("role", ROLES[part.localName] ?? `${part.scope === "col" ? "column" : "row"}header`));
  [...table.tBodies].flatMap((body) => [...body.rows]).filter(({ cells }) => cells.length === heads.length)
    .forEach(({ cells }) => heads.forEach((head, place) => { cells[place].dataset.head = head; }));
}
// The style sheet hides what comes later on a phone alone.
const AT_ONCE = 15;
const laterOf = (list) => [...list.querySelectorAll(".later")];
const moreOf = (list) => (list.nextElementSibling?.matches(".more") ? list.nextElementSibling : null);
function unfold(list, most) {
  const shown = laterOf(list).slice(0, most);
  shown.forEach((item) => item.classList.remove("later"));
  const left = laterOf(list).length, more = moreOf(list);
  if (more && left) more.textContent = `${list.dataset.more} (${left})`;
  else more?.remove();
  shown[0]?.querySelector("a, input, summary")?.focus();
}
function foldLong(list) {
  moreOf(list)?.remove();
  const items = list.tBodies ? [...list.tBodies[0].rows] : [...list.children];
  items.forEach((item, place) => item.classList.toggle("later", place >= AT_ONCE && !item.querySelector("input:checked")));
  const more = Object.assign(document.createElement("button"), { type: "button", className: "more" });
  more.addEventListener("click", () => unfold(list, AT_ONCE));
  list.after(more);
  unfold(list, 0);
}
const foldAllLong = () => document.querySelectorAll("[data-more]").forEach(foldLong);
const nameAllCells = () => document.querySelectorAll(".stacks").forEach(nameCells);
const markFaults = (form) => form.querySelectorAll("[aria-describedby^=said-]").forEach((field) => {
  field.toggleAttribute("aria-invalid", false);
  if (document.getElementById(field.getAttribute("aria-describedby"))?.childElementCount) field.setAttribute("aria-invalid", "true");
});
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("form[data-live]").forEach(markFaults);
  nameAllCells();
  foldAllLong();
  if (document.activeElement === document.body) document.getElementById("found")?.focus();  // what was pressed is gone
});
nameAllCells();
foldAllLong();
