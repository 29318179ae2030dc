{
  // Which layers, objects and photos are shown.
  const chooser = document.getElementById("choose-layers");
  if (chooser) {
    const at = (id) => document.getElementById(id);
    const layerInputs = [...chooser.querySelectorAll('input[name="layer"]')];
    const photos = [...document.querySelectorAll(".photo")].map((element) => ({
      element,
      labels: [...element.querySelectorAll(".labels .o")],
      layers: [...element.querySelectorAll(".layer[data-model]")].map((layer) => ({
        layer, model: layer.dataset.model, objects: [...layer.querySelectorAll(".o")],
      })),
      labelLayers: [...element.querySelectorAll(".layer.labels")],
      captions: [...element.querySelectorAll("figcaption [data-model]")],
      mistakes: element.dataset.mistakes.split(" ").filter(Boolean),
    }));
    let limit = 24;  // photos that are shown at first
    let opened = null;  // the photos of a cell or a button, with its words

    const state = () => ({
      models: layerInputs.length ? layerInputs.filter((input) => input.checked).map((input) => input.value) : null,
      labels: at("show-labels")?.checked ?? true,
      label: at("class")?.value ?? "",
      verdict: at("verdict")?.value ?? "all",
      kept: at("kept")?.checked ?? false,
      score: Number(at("min-score")?.value ?? 0) / 100,
      which: at("which").value,
    });

    const drawObjects = (photo, now) => {
      for (const { layer, model, objects } of photo.layers) {
        const on = now.models.includes(model);
        if (layer.classList.contains("overlay")) {
          layer.toggleAttribute("hidden", !on || layer.classList.contains("wrong") !== (now.verdict === "wrong"));
          continue;
        }
        layer.toggleAttribute("hidden", !on);
        if (!on) continue;
        for (const object of objects) {
          const fits = (!now.label || object.dataset.c === now.label) && Number(object.dataset.s) >= now.score &&
            (!now.kept || !object.classList.contains("low")) &&
            (now.verdict === "all" || object.classList.contains(now.verdict));
          object.toggleAttribute("hidden", !fits);
        }
      }
      for (const layer of photo.labelLayers) layer.toggleAttribute("hidden", !now.labels);
      for (const object of photo.labels) {
        const missed = (object.dataset.missed || "").split(" ").some((model) => model && now.models.includes(model));
        object.classList.toggle("missed", missed);
        const fits = (!now.label || object.dataset.c === now.label) &&
          (now.verdict === "all" || (now.verdict === "wrong") === missed);
        object.toggleAttribute("hidden", !fits);
      }
      for (const caption of photo.captions) caption.hidden = !now.models.includes(caption.dataset.model);
    };

    const matches = (photo, now) => {
      if (opened && !opened.numbers.includes(photo.element.dataset.number)) return false;
      if (now.which === "suspect") return photo.element.dataset.suspect === "1";
      if (now.which === "mistakes") return photo.mistakes.some((model) => !now.models || now.models.includes(model));
      return true;
    };

    const draw = () => {
      const now = state();
      let count = 0;
      for (const photo of photos) {
        const fits = matches(photo, now);
        count += fits;
        photo.element.hidden = !fits || count > limit;
        if (now.models) drawObjects(photo, now);
      }
      document.querySelector(".gallery").classList.toggle("nameless", at("show-names")?.checked === false);
      if (at("min-score-value")) at("min-score-value").textContent = now.score.toFixed(2);
      at("more-photos").parentElement.hidden = count <= limit;
      const active = opened !== null || now.which !== "all";
      at("show-all").disabled = !active;
      const parts = [];
      if (opened) parts.push(opened.words());
      if (active) parts.push(boxmaskText("shown", { n: count, total: photos.length }));
      if (opened && opened.rest > 0) parts.push(boxmaskText("rest", { n: opened.rest }));
      at("photos-shown").textContent = parts.join(" · ");
    };

    for (const button of document.querySelectorAll("button[data-photos]")) {
      button.addEventListener("click", () => {
        opened = {
          numbers: button.dataset.photos.split(" "),
          rest: Number(button.dataset.rest),
          words: () => button.getAttribute("aria-label"),
        };
        at("which").value = "all";
        const input = layerInputs.find((each) => each.value === button.dataset.model);
        if (input) {
          for (const each of layerInputs) each.checked = each === input;
        }
        draw();
        at("photos").scrollIntoView();
        at("show-all").focus({ preventScroll: true });
      });
    }
    at("show-all").addEventListener("click", () => { opened = null; at("which").value = "all"; draw(); });
    at("more-photos").addEventListener("click", () => {
      const first = photos.find((photo) => photo.element.hidden && matches(photo, state()));
      limit += 24;
      draw();
      first?.element.querySelector(".view").focus({ preventScroll: true });
    });
    let screenLimit = limit;
    addEventListener("beforeprint", () => { screenLimit = limit; limit = Infinity; draw(); });
    addEventListener("afterprint", () => { limit = screenLimit; draw(); });
    chooser.addEventListener("input", draw);
    document.addEventListener("languagechosen", draw);
    chooser.hidden = false;
    draw();
  }
}
