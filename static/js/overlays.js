// Dialogs, drawers and messages: data-opens="id" shows a dialog, data-closes shuts the nearest dialog or message.
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
    // A link that also closes is followed where nothing is open: "Cancel" works in a dialog and on a page of its own.
    const dialog = closer.closest("dialog");
    const toast = closer.closest(".toast");
    if (dialog || toast) event.preventDefault();
    dialog ? dialog.close() : toast?.remove();
    return;
  }
  if (event.target.matches("dialog.dialog")) event.target.close(); // a click on the backdrop
});

// A choice of a select that says so takes effect at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// A confirmation that asks for a word: its button waits until the word is typed.
document.addEventListener("input", (event) => {
  const word = event.target.dataset?.mustBe;
  if (word !== undefined) event.target.form.querySelector("[data-waits]").disabled = event.target.value.trim() !== word;
});

// "Saved." goes by itself, unless somebody points at it or stands on it; what went wrong stays until it is dismissed.
document.addEventListener("DOMContentLoaded", () => {
  for (const toast of document.querySelectorAll(".toasts .toast-success, .toasts .toast-info")) {
    const leave = () => setTimeout(() => toast.matches(":hover, :focus-within") ? leave() : toast.remove(), 8000);
    leave();
  }
});
