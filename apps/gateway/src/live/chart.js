// Five minutes as bars: what succeeded stands above the line, what did not hangs below it.

const WIDTH = 300;
const HALF = 23;

export function draw(svg, slots, says) {
  const most = Math.max(5, ...slots.map(([ok, mended, failed, refused]) => Math.max(ok + mended, failed + refused)));
  const d = ["", "", "", ""];
  const step = WIDTH / slots.length;
  slots.forEach((slot, at) => {
    let [up, down] = [24, 24];
    slot.forEach((count, kind) => {
      if (count === 0) return;
      const height = Math.max(1, (count / most) * HALF);
      const above = kind < 2;
      d[kind] += bar(at * step + 0.5, above ? up - height : down, step - 1, height);
      if (above) up -= height;
      else down += height;
    });
  });
  ["ok", "mended", "failed", "refused"].forEach((name, kind) => {
    svg.querySelector(`.${name}`).setAttribute("d", d[kind]);
  });
  svg.setAttribute("aria-label", says);
}

const bar = (x, y, width, height) => `M${x} ${y.toFixed(2)}h${width}v${height.toFixed(2)}h${-width}z`;
