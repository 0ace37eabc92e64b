// Keyboard: "/" or Ctrl+K goes to the search box, "?" shows the keys.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const search = document.getElementById("search");
  if (search && ((event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)))) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?" && !typing) {
    document.getElementById("keys")?.showModal();
  }
});
