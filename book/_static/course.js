// From file:// a browser may not read other pages, so the search shows titles without excerpts there.
if (typeof DOCUMENTATION_OPTIONS !== "undefined" && location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// A formula in a line that is wider than a phone scrolls inside itself. (Only such a one: scrolling costs it its baseline.)
function tameFormulas() {
  for (const formula of document.querySelectorAll(".bd-article mjx-container:not([display='true'])")) {
    formula.classList.remove("wider-than-page");
    const room = formula.closest("p, li, td, dd, blockquote, div")?.clientWidth ?? Infinity;
    if (formula.getBoundingClientRect().width > room) formula.classList.add("wider-than-page");
  }
}
addEventListener("load", () => window.MathJax?.startup?.promise?.then(tameFormulas));
addEventListener("resize", tameFormulas);
