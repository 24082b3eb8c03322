
// The page: what the sliders move.

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const put = (id, text) => { const element = at(id); if (element) element.textContent = text; };
const exact = (text) => { const [n, d] = text.split("/"); return reduced(BigInt(n), BigInt(d || 1)); };
const knobs = data.knobs.map((knob, i) => ({
  ...knob, low: exact(knob.low), high: exact(knob.high), slider: at(`slider-${i}`), box: at(`box-${i}`),
  of: (index) => reduced(BigInt(index), BigInt(knob.steps_per_unit)),
}));
const amount = (x, bytes) => bytes ? inBytes(x) : `${short(x[0] / x[1])} ${data.by.title}`;
const sum = (terms) => terms.reduce((a, b) => add(a, b), q(0n));
const start = data.settings[0].values.map(read);

const outside = ({ kind, low, high }, value, text) => {  // what is wrong with a value of a knob, or nothing
  if (!text.trim()) return "is empty";
  const said = `= ${text.trim()}`;
  if (value === null) return `${said} is not a number`;
  if (kind === "integer" && !whole(value)) return `${said} is not whole`;
  if (compare(value, low) < 0n) return `${said} is below ${written(low)}`;
  return compare(value, high) > 0n ? `${said} is above ${written(high)}` : "";
};
const refusedKnob = (values, texts) => {  // why a knob does not take its value, or nothing
  for (const [i, knob] of knobs.entries()) {
    const wrong = outside(knob, values[i], texts[i]), { name, whose, kind, low, high } = knob;
    const takes = `${kind === "integer" ? "a whole number" : "a number"} from ${written(low)} to ${written(high)}`;
    if (wrong) return `${name}${whose && ` of ${whose}`} ${wrong}; it takes ${takes}`;
  }
  return "";
};
const refused = (code, { conditions }, values) => {  // the condition that fails, and why there is no such network; or nothing
  for (const [i, condition] of code.conditions.entries()) {
    const [holds, sizes] = condition(values);
    if (holds) continue;
    const { words, texts, is_of_import } = conditions[i];
    let gap = -1;
    return { is_of_import, reason: words.replace(/\{\}/g, () => { gap += 1; return texts[gap] ?? written(sizes[gap]); }) };
  }
  return null;
};
const counted = (number, values) => {
  const code = networks[number], told = data.networks[number];
  if (!code) return { reason: "", found: null };
  try {
    return refused(code, told, values) || { reason: "", found: code.totals(values) };
  } catch (error) {
    if (error instanceof RangeError) return { reason: error.message };
    throw error;
  }
};
const total = (number, metric, found, values) => {  // of a network: from its closed forms, or as it is set
  const { places, base } = data.networks[number];
  const place = places[metric];
  if (found && place !== null) return found[place];
  const asSet = !networks[number] || values.every((value, i) => value !== null && same(value, start[i]));
  return asSet && base[metric] !== null && (found || !networks[number]) ? exact(base[metric]) : null;
};

// Numbers, ratios, where two cost the same.

const evensAsSet = data.evens.map((_, i) => at(`even-${i}`).textContent);
const boundsAt = (values) => {  // where two networks cost the same, or null
  try {
    return evens ? evens(values) : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
};
let current = null;  // the values of the knobs, and the totals of each network

const show = () => {
  const texts = knobs.map(({ box }) => box.value), values = texts.map(read);
  const wrong = refusedKnob(values, texts);
  knobs.forEach((knob, i) => knob.box.setAttribute("aria-invalid", Boolean(outside(knob, values[i], texts[i]))));
  const states = data.networks.map((_, i) => wrong ? { reason: wrong } : counted(i, values));
  const reasons = states.map(({ reason }, i) => reason && (wrong || data.networks.length === 1 ? reason : `${data.networks[i].label}: ${reason}`));
  const said = [...new Set(reasons.filter(Boolean))].join("; ");
  const kept = data.curves.length ? ", and curves stay as they were" : "";
  const none = states.some(({ reason, is_of_import }) => reason && !is_of_import) ? "There is no such network" : "No numbers are known there";
  const sentence = wrong ? `${said}. Until it has one, numbers are dashes${kept}.` : `${none}: ${said}.`;
  put("no-network", said && sentence);
  const totals = data.networks.map((_, i) => data.metrics.map((_, metric) => total(i, metric, states[i].found, wrong ? start.map(() => null) : values)));
  data.metrics.forEach(({ bytes }, metric) => {
    totals.forEach((mine, i) => {
      const value = mine[metric];
      put(`total-${i}-${metric}`, value ? written(value) : "–");
      put(`about-${i}-${metric}`, value ? (bytes ? inBytes(value) : short(value[0])) : "");
      const other = data.networks.length > 1 ? totals[data.baseline][metric] : data.networks[i].base[metric] && exact(data.networks[i].base[metric]);
      const isBase = data.networks.length > 1 && i === data.baseline;
      put(`factor-${i}-${metric}`, value && other && other[0] && !isBase ? factorText(div(value, other)) : "");
    });
  });
  const bounds = said ? null : boundsAt(values);
  data.evens.forEach((place, i) => {
    const isAsSet = !said && values.every((value, k) => same(value, start[k]));
    put(`even-${i}`, bounds ? boundText(bounds[i]) : isAsSet ? evensAsSet[i] : "–");
    if (place !== null) put(`even-now-${i}`, wrong ? "–" : written(values[place], false));
  });
  current = { values: wrong ? null : values, totals, states, bounds };
  requestAnimationFrame(showParts);
};

// Drawings and bars.

const shownDrawing = (number) => {
  const checked = document.querySelector(`input[name="fold-${number}"]:checked`);
  const drawing = document.querySelector(checked ? `[data-drawing="${checked.value}"]` : `[data-drawing="d${number}-0"]`);
  return [drawing.querySelector("svg"), Number(drawing.dataset.drawing.split("-")[1])];
};
const fill = (pieces, sizes) => pieces.map((piece) => {  // a text, the number of a size, or that and the noun that it counts
  if (typeof piece === "string") return piece;
  const [at, noun] = [piece].flat(), size = sizes ? written(sizes[at], noun !== undefined) : "–";
  return noun ? `${size} ${noun}${size === "1" ? "" : "s"}` : size;
}).join("").replace(/ \/1(?![\d.])/g, "");
const fit = (text) => {  // a text that has become longer stays in its box
  const room = Number(text.parentNode.querySelector("rect").getAttribute("width")) - 6;
  text.removeAttribute("textLength");
  text.removeAttribute("lengthAdjust");
  if (text.getComputedTextLength() > room) {
    text.setAttribute("textLength", room);
    text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
};
const withCopies = (text, [times, around, factor], sizes) => {
  const name = text.replace(/ ×\d+$/, "");
  if (!sizes) return name;
  const [count, outer] = [times, around].map((numbers) => numbers.reduce((a, n) => gcd(a, sizes[n]), q(0n))[0]);
  const copies = count * BigInt(factor) / (outer || 1n);
  return copies === 1n ? name : `${name} ×${copies}`;
};
const partsOf = (number) => {  // the numbers of the groups of layers, metric by metric; null without a network
  const code = networks[number], { groups } = data.networks[number];
  if (!code || !groups) return undefined;
  if (!current.values || !current.states[number].found) return null;
  const values = code.values(current.values);
  return data.numbers.map((_, metric) => values.slice(metric * groups, (metric + 1) * groups));
};
const by = () => data.numbers.indexOf(data.by.title);

const showDrawing = (number, parts) => {
  const [svg, which] = shownDrawing(number);
  const { nodes, labels, headings, rest } = data.networks[number].drawings[which];
  const sizes = parts && networks[number].sizes(current.values);
  const all = parts && current.totals[number][data.by.at];
  const values = parts && nodes.map(({ groups }) => sum(groups.map((group) => parts[by()][group])));
  const largest = parts && values.reduce((a, b) => max(a, b), q(0n));
  const boxes = svg.querySelectorAll(".node");
  nodes.forEach(({ groups, texts, hover, cost, copies }, i) => {
    const lines = boxes[i].querySelectorAll("text"), value = parts && values[i];
    texts.forEach(([line, pieces]) => { lines[line].textContent = fill(pieces, sizes); fit(lines[line]); });
    if (copies) lines[0].textContent = withCopies(lines[0].textContent, copies, sizes);
    if (hover) {
      const numbers = data.numbers.map((title, metric) => `${parts ? written(sum(groups.map((group) => parts[metric][group]))) : "–"} ${title}`);
      boxes[i].querySelector("title").textContent = hover[0] + numbers.join(", ") + hover[1];
    }
    if (cost === undefined) return;
    const part = parts && all[0] ? div(value, all) : q(0n);
    lines[cost].textContent = parts ? `${amount(value, data.by.bytes)} · ${shareText(part)}` : "–";
    fit(lines[cost]);
    const shade = boxes[i].querySelector(".shade"), bar = boxes[i].querySelector(".bar"), rail = boxes[i].querySelector(".rail");
    if (shade) shade.setAttribute("fill-opacity", largest && largest[0] ? px(0.6 * asFloat(div(value, largest))) : 0);
    if (bar) bar.setAttribute("width", Number((Number(rail.getAttribute("width")) * asFloat(part)).toFixed(1)));
  });
  const free = [...svg.querySelectorAll(":scope > g > text")];
  const below = free.slice(free.length - labels.length), above = free.slice(free.length - labels.length - headings.length);
  headings.forEach((copies, i) => { if (copies) above[i].textContent = withCopies(above[i].textContent, copies, sizes); });
  labels.forEach((pieces, i) => { if (pieces) below[i].textContent = fill(pieces, sizes); });
  const others = parts ? sum(rest.map((group) => parts[by()][group])) : q(0n);
  put(`rest-${number}`, others[0] ? `These settings add layers that this drawing has no box for: ${written(others)} ${data.by.title}. The drawing of fewer boxes has them.` : "");
};
const showBars = (all) => {
  const values = data.networks.map(({ bars }, number) => all[number] && bars.map((groups) => sum(groups.map((group) => all[number][by()][group]))));
  const largest = values.flat().filter(Boolean).reduce((a, b) => max(a, b), q(0n));
  data.networks.forEach((_, number) => {
    if (all[number] === undefined) return;
    const whole = current.totals[number][data.by.at];
    data.networks[number].bars.forEach((_, i) => {
      const value = values[number] && values[number][i];
      put(`part-${number}-${i}`, value ? written(value) : "–");
      put(`share-${number}-${i}`, value ? (whole[0] ? shareText(div(value, whole)) : "0.0 %") : "");
      at(`bar-${number}-${i}`).style.width = `${value && largest[0] ? px(100 * asFloat(div(value, largest))) : 0}%`;
    });
    put(`sum-${number}`, values[number] ? values[number].map((value) => written(value)).join(" + ") : "–");
  });
};
let waiting = 0;
const showParts = () => {
  const all = data.networks.map((_, number) => partsOf(number));
  all.forEach((parts, number) => { if (parts !== undefined) showDrawing(number, parts); });
  document.dispatchEvent(new Event("redrawn"));
  showBars(all);
  showCurves();
  clearTimeout(waiting);
  waiting = setTimeout(showMaps, 120);
};

// Sliders, boxes for exact values, and the menu of presets.

const place = ({ slider, box, steps_per_unit: steps }) => {  // the slider, where the box is
  const value = read(box.value);
  if (value === null) return;
  slider.value = String(floor(mul(value, q(BigInt(steps))))[0]);
  slider.setAttribute("aria-valuetext", box.value);
};
const settle = (texts) => {
  knobs.forEach((knob, i) => { knob.box.value = texts[i]; place(knob); });
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
document.querySelectorAll(".folds input").forEach((input) => input.addEventListener("change", () => requestAnimationFrame(showParts)));
const menu = at("settings");
let begun = 0;
const begin = (number) => {
  begun = number;
  if (menu) { menu.value = number; at("own-page").hidden = true; }
  settle(data.settings[number].values);
};
if (menu) {
  let byKey = false;  // each arrow key chooses: then a page is opened by Enter
  const link = at("own-page");
  menu.addEventListener("pointerdown", () => { byKey = false; });
  menu.addEventListener("keydown", (event) => {
    byKey = true;
    if (event.key !== "Enter" || link.hidden) return;
    event.preventDefault();
    link.click();
  });
  menu.addEventListener("change", () => {
    if (data.settings[menu.value]) { begin(menu.value); return; }
    link.href = menu.value;
    link.textContent = `Open the page of ${menu.selectedOptions[0].textContent}`;
    link.hidden = !byKey;
    if (!byKey) { menu.value = begun; link.click(); }
  });
}
const asked = () => data.settings.findIndex(({ name }) => location.hash === `#preset-${encodeURIComponent(name)}`);
addEventListener("hashchange", () => { if (asked() >= 0) begin(asked()); });
at("sliders").hidden = false;
begin(Math.max(0, asked()));
