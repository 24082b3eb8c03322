
// On a narrow screen: the drawing that fits it is shown, shrunk a little if need be; another one can be scrolled, which
// is said, and where it begins is seen first.

const MIN_SCALE = 8 / 9;  // with its smallest type, of 9 px, still readable
if (matchMedia("(max-width: 40rem)").matches) {
  const least = (drawing) => Math.floor(MIN_SCALE * Number(drawing.querySelector("svg").getAttribute("width")));
  document.querySelectorAll(".net").forEach((net) => {
    const drawings = [...net.querySelectorAll(".drawing")], shown = drawings.find((drawing) => drawing.clientWidth);
    if (!shown) return;
    const room = shown.clientWidth, fitting = drawings.filter((drawing) => least(drawing) <= room);
    if (least(shown) > room && drawings.length > 1) {
      const best = fitting.pop() || drawings[0];
      net.querySelector(`[value="${best.dataset.drawing}"]`).click();
    }
    const move = () => {
      const drawing = drawings.find((one) => one.clientWidth), first = drawing.querySelector(".node");
      net.querySelector(".beyond").hidden = least(drawing) <= room;
      if (!first) return;
      const box = first.getBoundingClientRect(), frame = drawing.getBoundingClientRect();
      drawing.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
    };
    drawings.forEach((drawing) => Object.assign(drawing.querySelector("svg").style, { maxWidth: "100%", minWidth: `${least(drawing)}px` }));
    move();
    net.querySelectorAll(".folds input").forEach((input) => input.addEventListener("change", move));
  });
}
