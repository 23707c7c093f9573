// A chart with its legend and, for who cannot see it, its table. ECharts draws as SVG, with only
// the kinds of charts that the reports use. Redrawn when the theme or the width changes.
import * as echarts from "echarts/core";
import { BarChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkLineComponent,
  ParallelComponent, TooltipComponent, VisualMapContinuousComponent,
} from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
import { el } from "./dom.js";
import { colour, isPrinting, onTheme } from "./theme.js";

echarts.use([
  BarChart, HeatmapChart, LineChart, ParallelChart, ScatterChart, AriaComponent, DataZoomComponent,
  GridComponent, LegendComponent, MarkLineComponent, ParallelComponent, TooltipComponent,
  VisualMapContinuousComponent, SVGRenderer,
]);

const PAPER = 680; // pixels across a page of A4 or letter

/** Lines of a tooltip as elements: names come from models and are never markup. */
export function tip(title, lines) {
  return el("div", { class: "tip" }, el("strong", {}, title),
    lines.map((line) => (Array.isArray(line)
      ? el("div", {}, line[2] ? el("i", { style: { background: line[2] } }) : null,
        el("span", {}, line[0]), el("b", {}, line[1]))
      : el("div", {}, line))));
}

function base() {
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour("text"), fontSize: 12 },
    aria: { enabled: isPrinting(), label: { enabled: false }, decal: { show: isPrinting() } },
    legend: { show: false },
    tooltip: {
      confine: true, transitionDuration: 0, backgroundColor: colour("raised"), borderColor: colour("line"),
      textStyle: { color: colour("text"), fontSize: 12 },
    },
  };
}

/** Colours from low to high that stand out from the page. */
export function ramp() {
  return colour("ramp").split(" ");
}

/** An axis in the colours of the page; `more` is ECharts' own. */
export function axis(more) {
  return {
    ...more,
    nameTextStyle: { color: colour("soft"), ...more.nameTextStyle },
    axisLine: { lineStyle: { color: colour("line") }, ...more.axisLine },
    axisTick: { show: false },
    axisLabel: { color: colour("text"), hideOverlap: true, ...more.axisLabel },
    splitLine: { show: more.type !== "category", lineStyle: { color: colour("grid") }, ...more.splitLine },
  };
}

/** Buttons that show and hide series; `items`: [{name, colour, dash?, help?}]. */
export function legend(items, onchange) {
  const hidden = new Set();
  const buttons = items.map(({ name, colour: named, help, dash = "solid" }) => {
    const button = el("button", {
      type: "button", "aria-pressed": "true", title: help,
      on: {
        click: () => {
          const shown = hidden.delete(name);
          if (!shown) hidden.add(name);
          button.setAttribute("aria-pressed", String(shown));
          onchange(name, shown, hidden);
        },
      },
    }, el("i", { "aria-hidden": "true", style: dash === "solid" ? { background: named } : { border: `2px ${dash} ${named}` } }), name);
    return button;
  });
  return el("div", { class: "legend", role: "group", "aria-label": "Shown in the chart" }, buttons);
}

/**
 * draw(width, hidden) -> ECharts option, called anew when colours, widths or the names of hidden
 * series change. `describe`: what the
 * chart says, one sentence. `items`: of the legend; names are those of the series. `data`: the same
 * as an element. `least`: pixels it needs across; a narrower window scrolls it.
 */
export function chart({ title, describe, height, draw, items, data, least = 0 }) {
  const canvas = el("div", {
    class: "canvas", role: "img", "aria-label": `${title}. ${describe}`,
    style: { height: `${height}px`, "min-width": `${least}px` },
  });
  const hidden = new Set();
  let drawn = null;
  const redraw = () => {
    if (!canvas.isConnected || canvas.clientWidth === 0) return;
    drawn ??= echarts.init(canvas, null, { renderer: "svg" });
    const width = isPrinting() ? Math.min(PAPER, canvas.clientWidth) : canvas.clientWidth;
    if (width !== drawn.getWidth()) drawn.resize({ width });
    const own = draw(width, hidden);
    const fixed = base();
    const selected = Object.fromEntries([...hidden].map((name) => [name, false]));
    drawn.setOption({
      ...fixed, ...own,
      tooltip: { ...fixed.tooltip, ...own.tooltip },
      legend: { show: false, selected, ...own.legend },
    }, { notMerge: true });
  };
  const figure = el("figure", { class: "chart" },
    el("figcaption", {}, el("strong", {}, title), " ", el("span", {}, describe)),
    items ? legend(items, (name, shown, now) => {
      hidden.clear();
      for (const each of now) hidden.add(each);
      redraw();
    }) : null,
    least > 0 ? el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, canvas) : canvas,
    data ? el("details", {}, el("summary", {}, "As a table"), data) : null);
  new ResizeObserver(redraw).observe(canvas);
  onTheme(redraw);
  return figure;
}
