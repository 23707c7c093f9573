// Reads the report that the file holds and shows the page for its kind.
import { el } from "./base/dom.js";
import { themeSwitch } from "./base/theme.js";
import { comparePage } from "./compare/page.js";
import { runPage } from "./run/page.js";
import { streamPage } from "./stream/page.js";
import { sweepPage } from "./sweep/page.js";

const PAGES = { compare: comparePage, run: runPage, stream: streamPage, sweep: sweepPage };

function show({ title, subtitle, bar, sections }) {
  document.title = `${title} – dvmsim`;
  const links = sections.map((section) =>
    el("li", {}, el("a", { href: `#${section.id}` }, section.dataset.title)));
  document.getElementById("page").replaceChildren(
    el("a", { class: "skip", href: "#content" }, "Skip to the content"),
    el("header", {},
      el("div", {}, el("h1", {}, title), el("p", {}, subtitle)), themeSwitch()),
    el("nav", { "aria-label": "Sections" }, el("ul", {}, links)),
    el("main", { id: "content" }, bar, sections),
    el("footer", {}, "Written by dvmsim. Simulated, not measured."));
}

const report = JSON.parse(document.getElementById("data").textContent);
/** Older kinds of reports do not name themselves. */
function kindOf({ kind, stream, cases }) {
  if (kind) return kind;
  if (stream) return "stream";
  return cases ? "compare" : "run";
}

show(PAGES[kindOf(report)](report));
