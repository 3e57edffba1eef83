// What the search shows first: lessons, then words explained, then the names of functions.
var Scorer = {
  score: ([docname, , anchor, , score]) => score + (docname.startsWith("lessons/") ? 40 : 0) + (anchor ? 0 : 5),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
