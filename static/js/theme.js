// Runs before the first paint: this browser's choice overrides the account's, which overrides the system's theme.
(() => {
  const root = document.documentElement;
  const ofAccount = root.dataset.theme || "";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const remember = (choice) => { try { choice ? localStorage.setItem("theme", choice) : localStorage.removeItem("theme"); } catch { /* private mode */ } };
  const shown = () => root.dataset.theme || (system.matches ? "dark" : "light");

  if (remembered()) root.dataset.theme = remembered();
  if (new URLSearchParams(location.search).has("still")) root.classList.add("still");

  function announce() {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.setAttribute("aria-label", shown() === "dark" ? button.dataset.toLight : button.dataset.toDark);
      button.querySelector("[data-when=light]").hidden = shown() === "dark";
      button.querySelector("[data-when=dark]").hidden = shown() === "light";
    }
    document.dispatchEvent(new CustomEvent("themechange"));
  }
  system.addEventListener("change", announce);
  document.addEventListener("DOMContentLoaded", announce);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const wanted = shown() === "dark" ? "light" : "dark";
    const bySystem = wanted === (system.matches ? "dark" : "light");
    bySystem && !ofAccount ? delete root.dataset.theme : (root.dataset.theme = wanted);
    remember(wanted === ofAccount || (bySystem && !ofAccount) ? null : wanted);
    announce();
  });
  // Whoever saves a theme in the account means this browser too.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-forgets-theme]")) remember(null);
  });
})();
