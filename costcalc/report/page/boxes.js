
// The boxes of drawings: what each costs, by pointer and by key.

document.querySelectorAll(".drawing svg").forEach((svg) => {
  const boxes = [...svg.querySelectorAll(".node")];
  const note = document.getElementById(`box-note-${svg.closest(".drawing").dataset.drawing.slice(1).split("-")[0]}`);
  boxes.forEach((box, i) => {
    const tell = () => { note.textContent = box.querySelector("title").textContent; };
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
