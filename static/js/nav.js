// Runs right after the menu, before it is painted: groups stand as they were left in this browser, the one with the page
// that is shown stays open, and that page is in sight.
(() => {
  const KEY = "menu";
  const groups = [...document.querySelectorAll(".nav-group")];
  const remembered = () => { try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; } };
  const left = remembered();
  for (const group of groups) {
    const wanted = left[group.dataset.group];
    if (typeof wanted === "boolean" && !group.querySelector("[aria-current]")) group.open = wanted;
    group.querySelector("summary").addEventListener("click", () => {
      // Heard before it takes effect.
      try { localStorage.setItem(KEY, JSON.stringify({ ...remembered(), [group.dataset.group]: !group.open })); } catch { /* private mode */ }
    });
  }
  const inside = document.querySelector(".sidebar-in");
  const here = inside?.querySelector("[aria-current]");
  const bringIntoSight = () => {
    if (here && here.offsetTop + here.offsetHeight > inside.clientHeight) inside.scrollTop = here.offsetTop - inside.clientHeight / 2;
  };
  bringIntoSight();
  document.getElementById("sidebar")?.addEventListener("toggle", bringIntoSight); // on a telephone it has no height before
})();
