// The cells of a heat map: a figure of all designs that share two steps. Pure.

/** [{x, y, value, designs}] for every pair of steps that some design has. */
export function cells(designs, xs, ys, quantity, how) {
  const found = [];
  const best = quantity.more ? Math.max : Math.min;
  xs.forEach((across, x) => ys.forEach((up, y) => {
    const here = designs.filter((design) => across.has(design) && up.has(design) && quantity.of(design) !== null);
    if (here.length === 0) return;
    const values = here.map(quantity.of);
    const value = how === "best" ? best(...values) : values.reduce((a, b) => a + b) / values.length;
    found.push({ x, y, value, designs: here.length });
  }));
  return found;
}
