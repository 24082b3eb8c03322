"use strict";

// Exact numbers: [numerator, denominator], two BigInts, the second above 0.

const q = (n, d = 1n) => [n, d];
const divisor = (a, b) => { while (b) [a, b] = [b, a % b]; return a < 0n ? -a : a; };
const reduced = (n, d) => {
  if (d === 0n) throw new RangeError("the formula divides by zero there");
  if (d === 1n) return [n, d];
  const by = (d < 0n ? -1n : 1n) * (divisor(n, d) || 1n);
  return [n / by, d / by];
};
const add = (...terms) => terms.reduce(([a, b], [c, d]) => b === d ? reduced(a + c, b) : reduced(a * d + c * b, b * d));
const mul = (...factors) => factors.reduce(([a, b], [c, d]) => reduced(a * c, b * d));
const div = ([a, b], [c, d]) => reduced(a * d, b * c);
const neg = ([a, b]) => [-a, b];
const pow = ([a, b], n) => [a ** n, b ** n];
const whole = ([, d]) => d === 1n;
const floor = ([n, d]) => q(n / d - (n < 0n && n % d ? 1n : 0n));
const ceil = (x) => neg(floor(neg(x)));
const compare = ([a, b], [c, d]) => { const by = a * d - c * b; return by < 0n ? -1n : by > 0n ? 1n : 0n; };
const least = (x) => x[0] >= 0n;
const same = (a, b) => compare(a, b) === 0n;
const stretch = (a, b) => same(a, b) || same(a, q(1n)) || same(b, q(1n));
const max = (...all) => all.reduce((a, b) => compare(a, b) < 0n ? b : a);
const min = (...all) => all.reduce((a, b) => compare(a, b) > 0n ? b : a);
const gcd = ([a], [b]) => q(divisor(a, b));
const roundTo = (x, m) => {  // to the nearest multiple, up from the middle; one more where a tenth would be lost
  const nearest = mul(floor(add(div(x, m), q(1n, 2n))), m);
  const rounded = max(m, nearest);
  return compare(mul(q(10n), rounded), mul(q(9n), x)) < 0n ? add(rounded, m) : rounded;
};

/*code*/

// Numbers as they are read and written.

const read = (text) => {
  const found = /^\s*(\d{1,12})(?:\.(\d{1,12})|\/(\d{1,12}))?\s*$/.exec(text);
  if (!found || (found[3] && !BigInt(found[3]))) return null;
  const [, units, decimals, under] = found;
  return decimals ? reduced(BigInt(units + decimals), 10n ** BigInt(decimals.length)) : reduced(BigInt(units), BigInt(under || 1));
};
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const written = ([n, d], group = true) => {
  if (d === 1n) return group ? grouped(n) : String(n);
  for (let places = 1n; places <= 20n; places++) {
    if (10n ** places % d) continue;
    const digits = String((n < 0n ? -n : n) * (10n ** places / d)).padStart(Number(places) + 1, "0");
    return (n < 0n ? "-" : "") + digits.slice(0, -Number(places)) + "." + digits.slice(-Number(places));
  }
  return `${n}/${d}`;
};
const approximately = ([n, d]) => {
  const value = Number(n * 1000000n / d) / 1000000;
  const power = value < 999.5 ? 0 : Math.min(6, Math.floor(Math.log10(value * 1.0005) / 3));
  return `${Number((value / 1000 ** power).toPrecision(3))} ${["", "k", "M", "G", "T", "P", "E"][power]}`.trim();
};

// The page.

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const exact = (text) => { const [n, d] = text.split("/"); return reduced(BigInt(n), BigInt(d || 1)); };
const knobs = data.knobs.map((knob, i) => ({
  ...knob, low: exact(knob.low), high: exact(knob.high), slider: at(`slider-${i}`), box: at(`box-${i}`),
  of: (index) => reduced(BigInt(index), BigInt(knob.steps_per_unit)),
}));

const refused = (values) => {  // why there is no such network, or nothing
  for (const [i, { name, kind, low, high }] of knobs.entries()) {
    if (values[i] === null) return `${name} is a number, as in 224 or 1.25`;
    if (kind === "integer" && !whole(values[i])) return `${name} is a whole number, not ${written(values[i])}`;
    if (compare(values[i], low) < 0n) return `${name} is at least ${written(low)}`;
    if (compare(values[i], high) > 0n) return `${name} is at most ${written(high)}`;
  }
  for (const [i, condition] of conditions.entries()) {
    const [holds, sizes] = condition(values);
    if (holds) continue;
    const { words, texts } = data.conditions[i];
    let gap = -1;
    return words.replace(/\{\}/g, () => { gap += 1; return texts[gap] ?? written(sizes[gap]); });
  }
  return "";
};

const counted = (values) => {
  try {
    const reason = refused(values);
    return reason ? { reason } : { reason, found: totals(values) };
  } catch (error) {
    if (error instanceof RangeError) return { reason: error.message };
    throw error;
  }
};

const show = () => {
  const { reason, found } = counted(knobs.map(({ box }) => read(box.value)));
  at("no-network").textContent = reason ? `There is no such network: ${reason}.` : "";
  data.metrics.forEach(({ base }, i) => {
    at(`total-${i}`).textContent = found ? written(found[i]) : "–";
    at(`about-${i}`).textContent = found ? approximately(found[i]) : "";
    const start = exact(base);
    at(`times-${i}`).textContent = found && start[0] ? `${approximately(div(found[i], start))} ×` : "";
  });
};

const place = ({ slider, box, steps_per_unit: steps }) => {  // the slider, where the box is
  const value = read(box.value);
  if (value === null) return;
  slider.value = String(floor(mul(value, q(BigInt(steps))))[0]);
  slider.setAttribute("aria-valuetext", box.value);
};

const settle = (texts) => {
  knobs.forEach((knob, i) => { if (texts[i] !== null) { knob.box.value = texts[i]; place(knob); } });
  show();
};

for (const knob of knobs) {
  knob.slider.addEventListener("input", () => {
    knob.box.value = written(knob.of(knob.slider.value), false);
    knob.slider.setAttribute("aria-valuetext", knob.box.value);
    show();
  });
  knob.box.addEventListener("input", () => { place(knob); show(); });
}
at("settings").addEventListener("change", (event) => settle(data.settings[event.target.value].values));
at("sliders").hidden = false;
settle(data.settings[0].values);
