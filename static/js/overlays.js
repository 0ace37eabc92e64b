// Dialogs and messages: data-opens="id" shows a dialog, data-closes shuts the nearest dialog or message.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) {
    event.preventDefault();
    const dialog = closer.closest("dialog");
    dialog ? dialog.close() : closer.closest(".toast")?.remove();
    return;
  }
  if (event.target.matches("dialog.dialog")) event.target.close(); // a click on the backdrop
});

// A choice of a select that says so takes effect at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
