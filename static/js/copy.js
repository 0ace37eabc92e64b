// data-copy="text" puts the text on the clipboard and says so.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Plain http on a network address has no clipboard interface: copy through a selection.
    const field = document.createElement("textarea");
    field.value = button.dataset.copy;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const said = document.getElementById("said");
  if (said) said.textContent = button.dataset.copied;
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1600);
});
