"use strict";
{
  // Language and theme: chosen in the page, and remembered where the browser allows it.
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const codes = Object.keys(texts);
  const memory = {
    get(name) { try { return localStorage.getItem(`boxmask.report.${name}`); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(`boxmask.report.${name}`, value); } catch { /* not remembered */ } },
  };
  const root = document.documentElement;
  const others = codes.filter((code) => code !== "en");
  const holders = [...document.querySelectorAll(others.map((code) => `[data-${code}]`).join())];
  const labeled = [...document.querySelectorAll(others.map((code) => `[data-${code}-label]`).join())];
  const english = new Map(holders.map((element) => [element, element.textContent]));
  const labels = new Map(labeled.map((element) => [element, element.getAttribute("aria-label")]));
  let language = "en";

  globalThis.boxmaskText = (key, values = {}) => {
    const text = texts[language][key] ?? texts.en[key];
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  };

  const speak = (code) => {
    language = codes.includes(code) ? code : "en";
    root.lang = language;
    for (const [element, text] of english) {
      const translated = language === "en" ? text : element.getAttribute(`data-${language}`);
      if (translated !== null) element.textContent = translated;
    }
    for (const [element, text] of labels) {
      const translated = language === "en" ? text : element.getAttribute(`data-${language}-label`);
      if (translated !== null) element.setAttribute("aria-label", translated);
    }
    document.dispatchEvent(new Event("languagechosen"));
  };

  const paint = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  const languages = document.getElementById("language");
  const themes = document.getElementById("theme");
  const preferred = (navigator.languages || []).map((tag) => tag.slice(0, 2)).find((code) => codes.includes(code));
  languages.value = memory.get("language") || preferred || "en";
  themes.value = memory.get("theme") || "system";
  if (!languages.value) languages.value = "en";
  if (!themes.value) themes.value = "system";
  languages.addEventListener("change", () => { memory.set("language", languages.value); speak(languages.value); });
  themes.addEventListener("change", () => { memory.set("theme", themes.value); paint(themes.value); });
  paint(themes.value);
  speak(languages.value);
  document.querySelector(".switches").hidden = false;
  if (matchMedia("(max-width: 900px)").matches) {
    for (const details of document.querySelectorAll("nav.contents > details")) details.open = false;
  }
  addEventListener("beforeprint", () => { for (const details of document.querySelectorAll("details.rest")) details.open = true; });
}
{
  // One confusion matrix at a time.
  const chooser = document.getElementById("matrix-model");
  if (chooser) {
    const show = () => {
      for (const matrix of document.querySelectorAll(".matrix")) matrix.hidden = matrix.dataset.model !== chooser.value;
    };
    chooser.addEventListener("change", show);
    chooser.closest(".chooser").hidden = false;
    show();
  }

  // Precision and recall at a score of choice.
  const slider = document.getElementById("choose-score");
  if (slider) {
    const data = JSON.parse(document.getElementById("score-data").textContent);
    const rows = [...document.querySelectorAll("table.min-scores tbody tr")];
    const output = document.getElementById("chosen-score");
    const percent = (value) => (value === null ? "–" : `${Math.round(value)} %`);
    const show = () => {
      output.textContent = (slider.value / 100).toFixed(2);
      rows.forEach((row, index) => {
        const [precision, recall] = row.querySelectorAll(".chosen");
        precision.textContent = percent(data[index][0][slider.value]);
        recall.textContent = percent(data[index][1][slider.value]);
      });
    };
    for (const cell of document.querySelectorAll("table.min-scores .chosen")) cell.hidden = false;
    slider.addEventListener("input", show);
    slider.closest(".chooser").hidden = false;
    show();
  }
}
