
// The boxes of drawings: what each costs, by pointer and by key; and on a narrow screen the drawing that fits it.

const told = new Map();  // the box that each note tells of
const retell = () => told.forEach((box, note) => {  // nothing of a drawing that is not shown any more
  note.textContent = box.closest(".drawing").clientWidth ? box.querySelector("title").textContent : "";
});
document.addEventListener("redrawn", retell);
document.querySelectorAll(".drawing svg").forEach((svg) => {
  const boxes = [...svg.querySelectorAll(".node")];
  const note = document.getElementById(`box-note-${svg.closest(".drawing").dataset.drawing.slice(1).split("-")[0]}`);
  boxes.forEach((box, i) => {
    const tell = () => { told.set(note, box); retell(); };
    box.addEventListener("focus", tell);
    box.addEventListener("mouseenter", tell);
    box.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      const next = step && boxes[i + step];
      if (!next) return;
      event.preventDefault();
      box.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
});
document.querySelectorAll(".folds input").forEach((input) => input.addEventListener("change", retell));
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
    drawings.forEach((drawing) => {  // where the drawing begins is seen first
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
