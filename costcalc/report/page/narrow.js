
// On a narrow screen: the drawing that fits it is shown, and where a drawing begins is seen first.

if (matchMedia("(max-width: 40rem)").matches) {
  const wide = (drawing) => Number(drawing.querySelector("svg").getAttribute("width"));
  document.querySelectorAll(".net").forEach((net) => {
    const drawings = [...net.querySelectorAll(".drawing")], shown = drawings.find((drawing) => drawing.clientWidth);
    if (!shown) return;
    const room = shown.clientWidth, fitting = drawings.filter((drawing) => wide(drawing) <= room);
    if (wide(shown) > room && drawings.length > 1) {
      const best = fitting.pop() || drawings[0];
      net.querySelector(`[value="${best.dataset.drawing}"]`).click();
    }
    drawings.forEach((drawing) => {
      const first = drawing.querySelector(".node"), move = () => {
        if (!first || !drawing.clientWidth) return;
        const box = first.getBoundingClientRect(), frame = drawing.getBoundingClientRect();
        drawing.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
      };
      move();
      net.querySelectorAll(".folds input").forEach((input) => input.addEventListener("change", move));
    });
  });
}
