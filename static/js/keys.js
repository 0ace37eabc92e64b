// Keyboard: Ctrl+K or Cmd+K opens the search, "/" goes to the list's own search where there is one, "?" shows the keys.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const palette = document.getElementById("palette");
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
    if (!palette) return;
    event.preventDefault();
    palette.open ? palette.close() : window.clmPalette.open();
  } else if (event.key === "/" && plain && !typing && !document.querySelector("dialog[open]")) {
    const list = document.getElementById("list-search");
    event.preventDefault();
    if (list) {
      list.focus();
      list.select();
    } else window.clmPalette.open();
  } else if (event.key === "?" && plain && (!typing || (typing.id === "palette-field" && !typing.value))) {
    event.preventDefault();
    palette?.close();
    document.getElementById("keys")?.showModal();
  }
});
