// Reads the report that the file holds and shows the page for its kind.
import { el } from "./base/dom.js";
import { themeSwitch } from "./base/theme.js";
import { runPage } from "./run/page.js";
import { streamPage } from "./stream/page.js";
import { sweepPage } from "./sweep/page.js";

const PAGES = { run: runPage, stream: streamPage, sweep: sweepPage };

function show({ title, subtitle, sections }) {
  document.title = `${title} – dvmsim`;
  const links = sections.map((section) =>
    el("li", {}, el("a", { href: `#${section.id}` }, section.dataset.title)));
  document.getElementById("page").replaceChildren(
    el("a", { class: "skip", href: "#content" }, "Skip to the content"),
    el("header", {},
      el("div", {}, el("h1", {}, title), el("p", {}, subtitle)), themeSwitch()),
    el("nav", { "aria-label": "Sections" }, el("ul", {}, links)),
    el("main", { id: "content" }, sections),
    el("footer", {}, "Written by dvmsim. Simulated, not measured."));
}

const report = JSON.parse(document.getElementById("data").textContent);
show(PAGES[report.kind ?? (report.stream ? "stream" : "run")](report));
