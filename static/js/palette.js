// The search dialog: Ctrl+K or Cmd+K opens it, the list is filled while one types, the arrow keys choose, Enter opens.
// (Not htmx: it writes an error to the console when a page is left before the last answer came.)
(() => {
  const dialog = () => document.getElementById("palette");
  const field = () => document.getElementById("palette-field");
  const list = () => document.getElementById("palette-list");
  const options = () => [...list().querySelectorAll("[role=option]")];
  const chosen = () => options().find((one) => one.getAttribute("aria-selected") === "true");
  let answered = null; // the text whose answer is shown
  let hurried = false; // Enter came before the answer
  let asking = null; // aborts the question under way
  let pause = 0;

  function choose(option, { scroll = true } = {}) {
    for (const one of options()) one.setAttribute("aria-selected", String(one === option));
    if (!option) return field().removeAttribute("aria-activedescendant");
    field().setAttribute("aria-activedescendant", option.id);
    if (scroll) option.scrollIntoView({ block: "nearest" });
  }

  async function ask() {
    clearTimeout(pause);
    asking?.abort();
    asking = new AbortController();
    const text = field().value;
    try {
      const answer = await fetch(`${field().form.action}?${new URLSearchParams(new FormData(field().form))}`, { headers: { "HX-Request": "true" }, signal: asking.signal });
      if (!answer.ok) return;
      list().innerHTML = await answer.text();
    } catch {
      return; // asked anew, the page was left, or the server cannot be reached: what is shown stays
    }
    answered = text;
    const found = options();
    const nothing = dialog().querySelector(".palette-nothing");
    nothing.hidden = found.length > 0;
    field().setAttribute("aria-expanded", String(found.length > 0));
    dialog().querySelector("[data-says-count]").textContent = found.length ? list().querySelector("[data-said]").content.textContent : nothing.querySelector("b").textContent;
    list().scrollTop = 0;
    choose(found[0], { scroll: false });
    if (hurried) chosen()?.click();
    hurried = false;
  }

  window.clmPalette = {
    open() {
      if (!dialog() || dialog().open) return;
      dialog().showModal();
      field().value = "";
      answered = null;
      hurried = false;
      ask();
    },
  };

  document.addEventListener("DOMContentLoaded", () => {
    // On a Mac the key is called by its own sign.
    if (/Mac|iPhone|iPad/.test(navigator.platform)) for (const key of document.querySelectorAll("[data-control]")) key.textContent = "⌘";
    field()?.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(ask, 90);
    });
    field()?.form.addEventListener("submit", (event) => event.preventDefault());
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]") && dialog() && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      window.clmPalette.open();
    } else if (event.target === dialog()) dialog().close();
    else if (event.target.closest("#palette-list [role=option]") && !event.ctrlKey && !event.metaKey) dialog().close(); // a link within the page leaves the page standing
  });

  document.addEventListener("keydown", (event) => {
    if (!dialog()?.open || event.target !== field() || event.isComposing) return;
    const all = options();
    const at = all.indexOf(chosen());
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 6, all.length - 1), PageUp: Math.max(at - 6, 0) }[event.key];
    if (to !== undefined && all.length) {
      event.preventDefault();
      choose(all[(to + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (answered !== field().value) {
        hurried = true;
        ask();
      } else if (event.ctrlKey || event.metaKey) window.open(chosen()?.href, "_blank", "noopener");
      else chosen()?.click();
    }
  });
  document.addEventListener("pointermove", (event) => {
    const option = event.target.closest?.("#palette-list [role=option]");
    if (option && option !== chosen()) choose(option, { scroll: false });
  });
})();
