// Asks twice a minute, while the page is in sight, whether something has come in since it was made, and offers to load
// it again. Nothing moves under the reader's eyes.
(() => {
  const told = () => document.querySelector("[data-news]");
  const every = () => Number(told().dataset.every || 30) * 1000;
  async function ask() {
    if (document.visibilityState === "visible" && !document.querySelector("dialog[open]")) {
      try {
        const answer = await fetch(told().dataset.news, { headers: { Accept: "application/json" } });
        if (answer.ok && !answer.redirected && (await answer.json()).mark !== told().dataset.mark) {
          told().hidden = false;
          window.clmSay(told().querySelector("p").textContent.trim());
          return;
        }
      } catch { /* not reachable just now */ }
    }
    setTimeout(ask, every());
  }
  document.addEventListener("DOMContentLoaded", () => { if (told()) setTimeout(ask, every()); });
})();
