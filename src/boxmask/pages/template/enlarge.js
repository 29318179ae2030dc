"use strict";
{
  // Every picture can be enlarged, with the mouse and with keys. The page has a dialog of the class "large".
  const views = [...document.querySelectorAll("svg.view")];
  const dialog = document.querySelector("dialog.large");
  if (views.length && dialog && typeof dialog.showModal === "function") {
    const [previous, next, close] = dialog.querySelectorAll("button");
    const words = dialog.querySelector("p");
    let current = null;

    const visible = () => views.filter((view) => view.getClientRects().length > 0);
    const show = (view) => {
      current = view;
      const large = view.cloneNode(true);
      for (const name of ["role", "tabindex", "aria-haspopup"]) large.removeAttribute(name);
      large.setAttribute("role", "img");
      large.classList.remove("enlarge");
      dialog.querySelector("svg")?.remove();
      dialog.append(large);
      dialog.classList.toggle("nameless", view.closest(".nameless") !== null);
      words.textContent = view.getAttribute("aria-label");
      const all = visible();
      previous.disabled = all.indexOf(view) <= 0;
      next.disabled = all.indexOf(view) === all.length - 1;
      if (!dialog.open) dialog.showModal();
      const { width, height } = large.viewBox.baseVal;
      const box = large.getBoundingClientRect();
      const scale = Math.min(box.width / width, box.height / height) || 1;
      large.querySelector(".names")?.setAttribute("font-size", 14 / scale);
    };
    const move = (step) => {
      const all = visible();
      const view = all[all.indexOf(current) + step];
      if (view) show(view);
    };
    for (const view of views) {
      view.classList.add("enlarge");
      view.setAttribute("tabindex", "0");
      view.setAttribute("role", "button");
      view.setAttribute("aria-haspopup", "dialog");
      view.addEventListener("click", () => show(view));
      view.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          show(view);
        }
      });
    }
    previous.addEventListener("click", () => move(-1));
    next.addEventListener("click", () => move(1));
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("close", () => current?.focus({ preventScroll: true }));
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") move(-1);
      if (event.key === "ArrowRight") move(1);
    });
  }
}
