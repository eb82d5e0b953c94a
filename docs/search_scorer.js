// SPDX-License-Identifier: BSD-3-Clause
// How the search ranks pages: those that answer questions first, notes and records of changes last.
var Scorer = {
  score: ([docname, title, anchor, description, score]) => {
    if (/^(guide\/|faq$|getting_started$|tabular$|train_faster$)/.test(docname)) return score + 3;
    if (/^(deploying|messy_table|other_tools|benchmarks|where_we_differ)$/.test(docname)) return score + 2;
    if (/^(changelog|contributing|architecture|benchmarks_notes)$/.test(docname)) return score - 3;
    return score;
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
