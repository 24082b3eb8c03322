
// The boxes of drawings: what each costs, by pointer and by key.

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
