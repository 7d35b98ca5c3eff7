// How the search ranks: Sphinx's own numbers, and pages that record things come after those that explain them; among equals
// the page of questions is first.
Scorer = {
  score: ([page, title, anchor, descr, score]) => {
    const records = /^(project\/|examples\/reports\/|results$|audit$|design$|performance)/;
    const guides = /^(tutorials\/|how_to$|recipes$|training$|conventions$|derivations\/|reference\/)/;
    return score + (records.test(page) ? -30 : 0) + (guides.test(page) ? 5 : 0) + (page === "how_to" ? 3 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
