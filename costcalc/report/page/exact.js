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

// Numbers as they are read and written, as text.py and table/cells.py write them.

const read = (text) => {
  const found = /^\s*([-−]?)(\d{1,40})(?:\.(\d{1,40})|\/(\d{1,40}))?\s*$/.exec(text);
  if (!found || (found[4] && !BigInt(found[4]))) return null;
  const [, sign, units, decimals, under] = found;
  const value = decimals ? reduced(BigInt(units + decimals), 10n ** BigInt(decimals.length)) : reduced(BigInt(units), BigInt(under || 1));
  return sign ? neg(value) : value;
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
const size = (n) => n < 0n ? -n : n;
const asFloat = ([n, d]) => {  // the nearest, or its neighbour for numbers beyond 2^53
  if (size(n) < 2n ** 53n && d < 2n ** 53n) return Number(n) / Number(d);
  const bits = BigInt(Math.max(0, 64 - size(n).toString(2).length + d.toString(2).length));
  return Number((n << bits) / d) / 2 ** Number(bits);
};
const decimals = (value, places) => {  // an exact tie goes to the even digit
  const scaled = value * 2 ** (places + 1);
  if (Number.isSafeInteger(scaled)) {
    const under = 2n ** BigInt(places + 1), over = BigInt(scaled) * 10n ** BigInt(places);
    if (size(over % under) * 2n === under && (over / under) % 2n === 0n) value -= Math.sign(value) * 2 ** -(places + 2) / 10 ** places;
  }
  const [units, rest] = value.toFixed(places).split(".");
  const text = units.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (rest ? `.${rest}` : "");
  return /[1-9]/.test(text) ? text : text.replace("-", "");
};
const digitsBefore = (value) => value >= 1 ? String(Math.floor(value)).length : 1;
const short = (n) => {
  if (n < 10000n) return grouped(n);
  const [unit, by] = [["T", 10n ** 12n], ["G", 10n ** 9n], ["M", 10n ** 6n], ["K", 10n ** 3n]].find(([, by]) => n >= by);
  const value = asFloat([n, by]);
  return `${decimals(value, Math.max(0, 4 - digitsBefore(value)))} ${unit}`;
};
const inBytes = (x) => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let value = asFloat(x), power = 0;
  while (power < 6 && value >= 1024) { value /= 1024; power += 1; }
  if (value >= 999.5) return `${decimals(value, 0)} ${units[power]}`;
  const text = value >= 1 ? decimals(value, 3 - digitsBefore(value)) : String(Number(value.toPrecision(3)));
  return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text} ${units[power]}`;
};
const shareText = (x) => {
  const value = asFloat(x);
  return value > 0 && value < 0.0005 ? "< 0.1 %" : `${decimals(100 * value, 1)} %`;
};
const timesText = (value) => {
  const texts = [2, 3, 4, 5, 6].map((places) => decimals(value, places));
  return texts.find((text) => text.replace(/0+$/, "") !== "1.") || `${texts[4]}…`;
};
const factorText = ([n, d]) => {  // ÷9.68, ×1.0005, =
  if (!n) return "0";
  if (n === d) return "=";
  return n < d ? `÷${timesText(asFloat([d, n]))}` : `×${timesText(asFloat([n, d]))}`;
};
const boundText = (x) => {
  if (whole(x)) return grouped(x[0]);
  const value = asFloat(x), text = decimals(value, Math.max(0, 6 - digitsBefore(value)));
  return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text} (${grouped(x[0])}/${grouped(x[1])})`;
};
