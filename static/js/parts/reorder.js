// A list put in order by buttons, without dragging: ol[data-reorder] whose items hold buttons [data-move=up|down] and a
// hidden field each. Without this script each button sends the form with its name and value, and the server moves it.
(() => {
  function ends(list) {
    const items = [...list.children];
    items.forEach((item, at) => {
      item.querySelector("[data-move=up]").setAttribute("aria-disabled", String(at === 0));
      item.querySelector("[data-move=down]").setAttribute("aria-disabled", String(at === items.length - 1));
      const place = item.querySelector("[data-place]");
      if (place) place.textContent = at + 1;
    });
  }
  document.addEventListener("DOMContentLoaded", () => { for (const list of document.querySelectorAll("[data-reorder]")) ends(list); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reorder] [data-move]");
    if (!button) return;
    event.preventDefault();
    const item = button.closest("li");
    const list = item.parentElement;
    const other = button.dataset.move === "up" ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    button.dataset.move === "up" ? other.before(item) : other.after(item);
    ends(list);
    button.focus();
    const place = [...list.children].indexOf(item) + 1;
    window.clmSay(list.dataset.says.replace("{name}", item.dataset.name).replace("{place}", place).replace("{count}", list.children.length));
  });
})();
