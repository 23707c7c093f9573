// The head of a run's report: what was run, the figures that matter, the verdict in a sentence.
import { definitions, el, section } from "../base/dom.js";
import { bytes, cycles, percent, plural, time, whole } from "../base/format.js";
import { tile } from "../base/tile.js";

/** As the command prints it. */
export function verdictOf({ verdict, limiter, cause, components, waits, between_launches: between }) {
  if (!verdict) return "";
  const { reached, busy } = components[limiter];
  if (verdict === "low efficiency") {
    return `${verdict} of ${limiter} (${cause}): busy ${percent(busy)}, but at ${percent(reached)} of its ceiling`;
  }
  if (verdict !== "latency bound") return `${verdict}: ${limiter} reaches ${percent(reached)} of its ceiling`;
  const text = `${verdict}: no pipe is busy for 80 %; the busiest, ${limiter}, for ${percent(busy)}`;
  if (between >= 0.5) return `${text}; ${percent(between)} lies between launches`;
  const most = Object.entries(waits).slice(0, 2).filter(([, share]) => share >= 0.01);
  return text + (most.length > 0 ? `, then ${most.map(([reason, share]) => `${reason} ${percent(share)}`).join(", ")}` : "");
}

export function titleOf(report) {
  return [report.model, ...Object.entries(report.dims).map(([name, size]) => `${name}=${size}`)].join(" ");
}

function tiles(report) {
  const { host, firmware, roofline, check, device_memory: memory } = report;
  const exposed = firmware.exposed_cycles;
  return el("div", { class: "tiles" },
    tile("Device", cycles(report.cycles), `${time(report.cycles / report.clock_mhz)} at ${report.clock_mhz} MHz`),
    tile("End to end", time(report.e2e_us), "with the host"),
    tile("Launches", plural(host.launches, "launch", "launches"),
      `${time(report.task_us)} in them`, `${time(report.core_us)} of longest cores`),
    roofline.verdict ? tile("Of the ideal", percent(roofline.fraction),
      `${cycles(roofline.ideal_cycles)} by ${roofline.bound}`) : null,
    exposed === null || exposed === undefined ? null
      : tile("Exposed decoding", percent(exposed / report.cycles), cycles(exposed)),
    memory.peak_bytes > 0 ? tile("Device memory", bytes(memory.peak_bytes), "at the peak") : null,
    check ? tile("Check", check.pass ? "pass" : "FAIL",
      `abs ${check.max_abs_err.toPrecision(3)}, rel ${check.max_rel_err.toPrecision(3)}`) : null);
}

export function summarySection(report) {
  const { host, firmware } = report;
  const waits = host.synchronisations + host.iterations > 0;
  return section("summary", "Summary",
    report.roofline.verdict ? el("p", { class: "verdict" }, verdictOf(report.roofline)) : null,
    tiles(report),
    definitions([
      ["Host", `compile ${time(host.compile_us)}, encode ${time(host.encode_us)}, launch ${time(host.launch_us)}`,
        waits ? `waits ${plural(host.synchronisations, "time")} for values (${bytes(host.bytes_read)}), drives ${plural(host.iterations, "iteration")}: ${host.nodes.join(", ")}` : null,
      ].filter(Boolean),
      ["Programs", `${bytes(host.program_bytes)}; ${whole(firmware.instructions)} instructions, ${whole(firmware.commands)} commands`],
      ["Memory", `HBM read ${bytes(report.memory.hbm_read_bytes)}, write ${bytes(report.memory.hbm_write_bytes)}; L2 hits ${bytes(report.memory.l2_hit_bytes)}`],
      report.features.length > 0 ? ["Features", report.features.join(", ")] : null,
    ]));
}

export function limitsSection(report) {
  return section("limits", "Not modelled",
    el("ul", {}, report.not_modelled.map((line) => el("li", {}, line))));
}
