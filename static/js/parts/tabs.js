// Tabs within a page: [role=tablist] with [role=tab aria-controls]. Left, Right, Home and End move and choose. Without
// this script every panel stands open under its own heading.
(() => {
  function show(tab, { focus = false } = {}) {
    for (const one of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
      const chosen = one === tab;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
  }
  document.addEventListener("DOMContentLoaded", () => {
    for (const list of document.querySelectorAll("[role=tablist]")) show(list.querySelector("[aria-selected=true]") || list.querySelector("[role=tab]"));
  });
  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) show(tab);
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[role=tab]");
    if (!tab) return;
    const all = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const forth = document.dir === "rtl" ? -1 : 1;
    const to = { ArrowRight: all.indexOf(tab) + forth, ArrowLeft: all.indexOf(tab) - forth, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(all[(to + all.length) % all.length], { focus: true });
  });
})();
