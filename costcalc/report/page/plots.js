
// Plots, drawn as knob_plots.py draws them.

const WIDTH = 360, HEIGHT = 230, LEFT = 52, RIGHT = 12, TOP = 12, BOTTOM = 34, LEGEND = 15, TICKS = 4;
const UNITS = [["T", 1e12], ["G", 1e9], ["M", 1e6], ["K", 1e3], ["", 1]];
const part = (name, attributes, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
const px = (value) => String(Number(decimals(value, Math.abs(value) > 1 ? 1 : 3)));
const niceStep = (span) => {
  const least = span / TICKS;
  if (!(least > 0)) return 1;
  const size = Number(`1e${least.toExponential(6).split("e")[1]}`);
  return [size, 2 * size, 5 * size, 10 * size].find((step) => step >= least * (1 - 1e-9));
};
const ticks = (low, high) => {
  const step = niceStep(high - low), found = [];
  for (let n = Math.ceil(low / step); n <= Math.floor(high / step + 1e-9); n++) found.push(n * step);
  return found;
};
const unitOf = (value) => UNITS.find(([, size]) => value >= size) || UNITS[4];
const tick = (value, [unit, size]) => value ? `${Number((value / size).toPrecision(6))} ${unit}`.trim() : "0";
const axes = (first, last, low, high, top) => {
  const x = (value) => LEFT + (WIDTH - LEFT - RIGHT) * (value - first) / ((last - first) || 1);
  const y = (value) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - top) * (value - low) / ((high - low) || 1);
  return { x, y };
};
const drawCurve = (svg, at, values, now, even) => {  // the axis upwards, the lines, the marks
  const top = TOP + (values.length > 1 ? LEGEND * values.length : 0);
  const largest = Math.max(0, ...values.flat().filter((value) => value !== null));
  const step = niceStep(largest), high = Math.ceil(largest / step) * step || 1;
  const { x, y } = axes(at[0], at[at.length - 1], 0, high, top);
  svg.querySelectorAll(".grid, .tick, .curve, .now, .even").forEach((old) => old.remove());
  const under = svg.querySelector(".below"), unit = unitOf(high);
  for (const value of ticks(0, high)) {
    svg.insertBefore(part("path", { class: "grid", d: `M${LEFT} ${px(y(value))}H${WIDTH - RIGHT}` }), under);
    svg.insertBefore(part("text", { class: "tick", x: LEFT - 5, y: px(y(value) + 3.5) }, tick(value, unit)), under);
  }
  if (even !== null && at[0] <= even && even <= at[at.length - 1]) {
    svg.append(part("path", { class: "even", d: `M${px(x(even))} ${top}V${HEIGHT - BOTTOM}` }));
  }
  values.forEach((row, n) => {
    let path = "";
    row.forEach((value, i) => {
      if (value === null) return;
      const begins = (row[i - 1] ?? null) === null, ends = (row[i + 1] ?? null) === null;
      path += `${begins ? "M" : "L"}${px(x(at[i]))} ${px(y(value))}${begins && ends ? "h0" : ""}`;
    });
    svg.append(part("path", { class: `curve line-${n % 4}`, d: path }));
  });
  now.forEach(([knob, value], n) => {
    if (value === null || knob === null || knob < at[0] || knob > at[at.length - 1] || value > high) return;
    svg.append(part("circle", { class: `now line-${n % 4}`, cx: px(x(knob)), cy: px(y(value)), r: 4 }));
  });
};
const shadeOf = (value, largest) => value === null ? "0" : px(0.04 + 0.9 * value / largest);
const along = (value, values) => {
  const span = (values[values.length - 1] - values[0]) || 1;
  return Math.min(Math.max(((value - values[0]) / span * (values.length - 1) + 0.5) / values.length, 0), 1);
};
const markMap = (svg, [xs, ys], now) => {
  if (now.includes(null)) return;
  const x = px(LEFT + (WIDTH - LEFT - RIGHT) * along(now[0], xs));
  const y = px(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * along(now[1], ys));
  svg.querySelector(".here").setAttribute("d", `M${x} ${TOP}V${HEIGHT - BOTTOM}M${LEFT} ${y}H${WIDTH - RIGHT}`);
  const circle = svg.querySelector(".now");
  circle.setAttribute("cx", x);
  circle.setAttribute("cy", y);
};
const shadeMap = (svg, values) => {
  const largest = Math.max(0, ...values.filter((value) => value !== null)) || 1;
  svg.querySelectorAll(".cells rect").forEach((cell, i) => cell.setAttribute("fill-opacity", shadeOf(values[i], largest)));
};
