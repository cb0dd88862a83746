// Draws five minutes as bars: successes above the axis, failures and rejections below it.

const WIDTH = 300;
const AXIS = 24;
const MAX_BAR = 23;
const SERIES = ["succeeded", "recovered", "failed", "rejected"];

export function drawChart(svg, slots, label) {
  const max = Math.max(
    5,
    ...slots.map(([succeeded, recovered, failed, rejected]) => Math.max(succeeded + recovered, failed + rejected)),
  );
  const paths = SERIES.map(() => "");
  const step = WIDTH / slots.length;
  slots.forEach((slot, index) => {
    let [top, bottom] = [AXIS, AXIS];
    slot.forEach((count, series) => {
      if (count === 0) return;
      const height = Math.max(1, (count / max) * MAX_BAR);
      const isAbove = series < 2;
      paths[series] += bar(index * step + 0.5, isAbove ? top - height : bottom, step - 1, height);
      if (isAbove) top -= height;
      else bottom += height;
    });
  });
  SERIES.forEach((name, series) => {
    svg.querySelector(`.${name}`).setAttribute("d", paths[series]);
  });
  svg.setAttribute("aria-label", label);
}

const bar = (x, y, width, height) => `M${x} ${y.toFixed(2)}h${width}v${height.toFixed(2)}h${-width}z`;
