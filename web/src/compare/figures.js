// What a comparison says, case by case: strategies that ran, their style, means and ratios. Pure.

const SHADES = ["work", "memory", "firmware", "cores", "flag", "issue", "text", "host"];
const DASHES = ["solid", "dashed", "dotted"];

/** Every strategy of the study has one look in all charts. */
export function stylesOf(report) {
  const names = [...new Set(report.cases.flatMap(({ strategies }) => strategies.map(({ name }) => name)))];
  return new Map(names.map((name, number) => [name, {
    shade: SHADES[number % SHADES.length], dash: DASHES[Math.floor(number / SHADES.length) % DASHES.length],
  }]));
}

export function legendOf(strategies, styles) {
  return strategies.map(({ name }) => ({ name, colour: `var(--${styles.get(name).shade})`, dash: styles.get(name).dash }));
}

export function ran(each) {
  return each.strategies.filter(({ refused }) => !refused);
}

export function placeOf(each) {
  return [each.machine, ...Object.entries(each.axes ?? {}).map(([name, value]) => `${name}=${value}`)].join(" ");
}

/** Mean time of a run if every shape comes `runs` times. */
export function meanAt({ new_us: fresh, again_us: again }, runs) {
  return again + (fresh - again) / runs;
}

/** Runs of a shape that a chart of break-even should reach: beyond every crossing. */
export function reach(each, cost) {
  const crossings = each.break_even[cost].against.map(({ runs }) => runs).filter((runs) => runs !== null);
  const wins = each.break_even[cost].winners.map(({ from }) => from).filter((from) => from > 0).map((from) => 1 / from);
  const most = Math.max(100, ...crossings, ...wins);
  return 10 ** Math.ceil(Math.log10(most * 2));
}

/** How many times faster than the first strategy that ran: {known, whole} by name. */
export function ratios(each, cost) {
  const first = each.strategies[0];
  const found = new Map();
  if (first.refused) return found;
  const base = first.by_cost[cost];
  for (const one of ran(each)) {
    const { again_us: again, total_us: total } = one.by_cost[cost];
    found.set(one.name, { known: base.again_us / again, whole: base.total_us / total });
  }
  return found;
}

export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
