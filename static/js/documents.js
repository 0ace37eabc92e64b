// Swagger UI has a dark look of its own; it follows the theme that every page follows.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dress = () => root.classList.toggle("dark-mode", (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark");
  dress();
  system.addEventListener("change", dress);
  document.addEventListener("themechange", dress);
})();
