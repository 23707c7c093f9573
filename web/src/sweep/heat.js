// A figure over two axes: the best, or the mean, over everything else.
import { choice, el, section } from "../base/dom.js";
import { axis, chart, ramp, tip } from "../base/chart.js";
import { plural, short } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";
import { cells } from "./cells.js";
import { designAxes, figure, labelOf, quantities, steps } from "./designs.js";

function map(designs, across, up, quantity, how) {
  const xs = steps(across, designs), ys = steps(up, designs);
  const found = cells(designs, xs, ys, quantity, how);
  const values = found.map(({ value }) => value);
  const unit = quantity.unit === "us" && Math.max(...values) >= 1e4 ? 1000 : 1;
  return chart({
    title: `${labelOf(quantity)} over ${across.name} and ${up.name}`,
    describe: how === "best" ? `Each cell: the ${quantity.more ? "most" : "least"} over all other axes.` : "Each cell: the mean over all other axes.",
    height: Math.max(200, 110 + 34 * ys.length),
    draw: (width) => ({
      grid: { left: 10, right: 20, top: 30, bottom: 76, containLabel: true },
      tooltip: {
        formatter: ({ data: [x, y, value, count] }) => tip(figure(value, quantity.unit), [
          [across.name, xs[x].text], [up.name, ys[y].text], ["of", plural(count, "design")],
        ]),
      },
      xAxis: axis({ type: "category", data: xs.map(({ text }) => text), name: across.name, nameLocation: "middle", nameGap: 28 }),
      yAxis: axis({ type: "category", data: ys.map(({ text }) => text), name: up.name, nameTextStyle: { align: "left" } }),
      visualMap: {
        min: Math.min(...values), max: Math.max(...values), dimension: 2, orient: "horizontal", left: "center", bottom: 0,
        itemHeight: Math.min(200, width / 3), itemWidth: 12, textStyle: { color: colour("text") },
        text: [Math.max(...values), Math.min(...values)].map((value) => figure(value, quantity.unit)),
        inRange: { color: ramp() },
      },
      series: [{
        type: "heatmap", data: found.map(({ x, y, value, designs: count }) => [x, y, value, count]),
        itemStyle: { borderColor: colour("page"), borderWidth: 1 },
        label: {
          show: xs.length * 56 < width, fontSize: 11, color: "#111", textBorderColor: "#fff", textBorderWidth: 3,
          formatter: ({ data }) => short(data[2] / unit),
        },
      }],
    }),
    data: table({
      caption: `${labelOf(quantity)}, ${how}`,
      columns: [
        { key: "up", title: up.name, value: (row) => row.up.text },
        ...xs.map((step, x) => ({
          key: `x${x}`, title: step.text, number: true, value: (row) => row.cells[x]?.value ?? Infinity,
          text: (value, row) => figure(row.cells[x]?.value, quantity.unit),
        })),
      ],
      rows: ys.map((step, y) => ({ up: step, cells: xs.map((unused, x) => found.find((cell) => cell.x === x && cell.y === y)) })),
    }),
  });
}

export function heatSection(sweep) {
  const axes = designAxes(sweep).filter(({ values }) => values.length > 1);
  const all = quantities(sweep);
  if (axes.length < 2 || all.length === 0) return null;
  const ranked = sweep.sensitivity?.[0]?.axes.map(({ axis: name }) => axes.find((each) => each.name === name)).filter(Boolean) ?? [];
  const state = { across: ranked[0] ?? axes[0], quantity: all[0], how: "best" };
  state.up = ranked[1] ?? axes.find((each) => each !== state.across);
  const place = el("div");
  const show = () => place.replaceChildren(state.across === state.up
    ? el("p", { class: "note" }, "Choose two different axes.")
    : map(sweep.designs, state.across, state.up, state.quantity, state.how));
  show();
  const pick = (label, key, list) =>
    choice(label, list.map(({ name }) => [name, name]), state[key].name, (name) => {
      state[key] = list.find((each) => each.name === name);
      show();
    });
  return section("heat", "Heat map",
    el("div", { class: "tools" },
      pick("Across", "across", axes), pick("Up", "up", axes), pick("Figure", "quantity", all),
      choice("Cell", [["best", "best"], ["mean", "mean"]], "best", (how) => { state.how = how; show(); })),
    place);
}
