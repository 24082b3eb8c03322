// Curves and maps, where the sliders stand.

const headline = (number, values) => {  // as a float; null where there is no network
  const code = networks[number], told = data.networks[number];
  if (!code) return told.base[data.by.at] === null ? null : Number(told.base[data.by.at]);
  if (!code.headline) return null;
  try {
    const isNetwork = !knobs.some((knob, i) => outside(knob, values[i], "?")) && code.conditions.every((holds) => holds(values)[0]);
    return isNetwork ? asFloat(code.headline(values)[0]) : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
};
const movesHeadline = networks.every((code) => !code || code.headline);
const withKnobs = (places, values) => current.values.map((value, i) => places.includes(i) ? values[places.indexOf(i)] : value);
const showCurves = () => {
  if (!current.values || !movesHeadline) return;
  data.curves.forEach(({ slider, at: texts }, number) => {
    const xs = texts.map(read);
    const values = data.networks.map((_, i) => xs.map((x) => headline(i, withKnobs([slider], [x]))));
    const now = data.networks.map((_, i) => {
      const total = current.totals[i][data.by.at];
      return [asFloat(current.values[slider]), total && asFloat(total)];
    });
    const place = data.evens.indexOf(slider);
    const even = place >= 0 && current.bounds ? asFloat(current.bounds[place]) : null;
    drawCurve(at(`curve-${number}`), xs.map(asFloat), values, now, even);
    const gaps = data.networks.map(({ label }, i) => {
      const lacking = xs.filter((_, k) => values[i][k] === null);
      if (!lacking.length) return "";
      const why = counted(i, withKnobs([slider], [lacking[0]])).reason;
      return `${label} has no numbers at ${lacking.length} of the ${xs.length} values of ${knobs[slider].name}${why && `: ${why}`}.`;
    });
    put(`gaps-${number}`, gaps.filter(Boolean).join(" "));
  });
};
const showMaps = () => {
  if (!current.values || !movesHeadline) return;
  data.maps.forEach(({ sliders, at: texts }, number) => {
    const [xs, ys] = texts.map((side) => side.map(read));
    const svg = at(`map-${number}`);
    shadeMap(svg, ys.flatMap((y) => xs.map((x) => headline(0, withKnobs(sliders, [x, y])))));
    markMap(svg, [xs.map(asFloat), ys.map(asFloat)], sliders.map((slider) => asFloat(current.values[slider])));
  });
};
