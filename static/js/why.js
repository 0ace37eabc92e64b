// Reasons are put in place of others without leaving the page: whoever asked for them is taken to their heading.
document.addEventListener("htmx:afterSettle", (event) => {
  const asked = event.detail.requestConfig?.elt;
  const there = asked?.dataset?.thenFocus && document.getElementById(asked.dataset.thenFocus);
  if (there) there.focus({ preventScroll: true });
});
