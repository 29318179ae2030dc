"use strict";
{
  const $ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const search = document.getElementById("search");
  const kind = document.getElementById("kind");
  const clear = document.getElementById("clear");
  const shown = document.getElementById("shown");
  const toggles = $('input[name="severity"]');
  const entries = $(".entry").map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    section: element.closest(".kind"),
    count: 1 + element.querySelectorAll(".also .words").length,
  }));
  const total = entries.reduce((sum, entry) => sum + entry.count, 0);
  const rests = new Map($("details.rest").map((details) => [details, details.open]));

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(toggles.filter((toggle) => toggle.checked).map((toggle) => toggle.value));
    const active = words.length > 0 || kind.value !== "" || severities.size < toggles.length;
    const visible = new Map();
    let count = 0;
    for (const entry of entries) {
      const heading = entry.section.dataset.kind;
      const match = words.every((word) => entry.text.includes(word) || heading.includes(word));
      entry.element.hidden = !match;
      visible.set(entry.section, (visible.get(entry.section) || 0) + match * entry.count);
    }
    for (const group of $(".group")) {
      let any = false;
      for (const section of $(".kind", group)) {
        const wanted = severities.has(group.dataset.severity) && (!kind.value || kind.value === section.dataset.kind);
        section.hidden = !wanted || (words.length > 0 && !visible.get(section));
        any ||= !section.hidden;
        count += section.hidden ? 0 : visible.get(section) || 0;
      }
      group.hidden = !any;
    }
    for (const [details, open] of rests) {
      details.open = words.length > 0 ? $(".entry", details).some((entry) => !entry.hidden) : open;
    }
    for (const link of $("nav [data-kind]")) {
      link.closest("li").classList.toggle("dim", document.getElementById(link.dataset.kind).hidden);
    }
    clear.disabled = !active;
    shown.textContent = active ? `${count.toLocaleString("en")} of ${total.toLocaleString("en")} listed findings are shown.` : "";
  }

  function reset() {
    search.value = "";
    kind.value = "";
    for (const toggle of toggles) toggle.checked = true;
    filter();
  }

  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest("[hidden]")) {
      reset();
      target.scrollIntoView();
    }
  }

  if (entries.length > 0) {
    document.getElementById("findings").hidden = false;
    search.addEventListener("input", filter);
    kind.addEventListener("change", filter);
    for (const toggle of toggles) toggle.addEventListener("change", filter);
    clear.addEventListener("click", () => { reset(); search.focus(); });
    addEventListener("hashchange", follow);
    addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && typing) {
        reset();
      }
    });
    addEventListener("beforeprint", () => { for (const details of rests.keys()) details.open = true; });
    addEventListener("afterprint", filter);
    filter();
  }
  if (matchMedia("(max-width: 900px)").matches) {
    for (const details of $("nav.contents > details")) details.open = false;
  }
}
{
  // Photos with their labels: a class, a split, and names.
  const chooser = document.getElementById("choose-labels");
  if (chooser) {
    const photos = [...document.querySelectorAll(".labeled")];
    const label = document.getElementById("label-class");
    const split = document.getElementById("label-split");
    const names = document.getElementById("label-names");
    const shown = document.getElementById("labels-shown");

    const choose = () => {
      let count = 0;
      for (const photo of photos) {
        const labels = photo.dataset.labels.split(" ");
        const match = (!label.value || labels.includes(label.value)) &&
          (!split || split.value === "*" || split.value === photo.dataset.split);
        photo.hidden = !match;
        count += match;
        for (const part of photo.querySelectorAll("[data-label]")) {
          part.classList.toggle("other", label.value !== "" && part.dataset.label !== label.value);
        }
      }
      document.querySelector(".gallery").classList.toggle("nameless", names !== null && !names.checked);
      const active = label.value !== "" || (split && split.value !== "*");
      shown.textContent = active ? `${count} of ${photos.length} photos are shown.` : "";
    };
    for (const control of [label, split, names]) if (control) control.addEventListener("change", choose);
    chooser.hidden = false;
    choose();
  }
}
