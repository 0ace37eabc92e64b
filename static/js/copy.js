// data-copy="text" puts the text on the clipboard and says so; data-copies="id" copies what that element says.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copies]");
  if (!button) return;
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copies).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http on a network address has no clipboard interface: copy through a selection.
    const field = document.createElement("textarea");
    field.value = text;
    (button.closest("dialog") ?? document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  window.clmSay?.(button.dataset.copied);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1600);
});
