"use strict";
// Printing, and a word while a long form is under way; everything else works without a script.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-busy]")) event.target.classList.add("is-busy");
});
