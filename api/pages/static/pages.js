"use strict";
// Printing, the place in a navigation that is wider than the screen, and a word while a long form is under way; everything else works without a script.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-busy]")) event.target.classList.add("is-busy");
});
const here = document.querySelector(".top-in > nav [aria-current]");
if (here) here.closest("ul").scrollLeft = here.offsetLeft - innerWidth / 2;
