// A fault stands beside its field until the field is changed: then nobody knows any more whether it still holds.
document.addEventListener("input", (event) => {
  const field = event.target.closest?.(".field.wrong");
  if (!field) return;
  field.classList.remove("wrong");
  for (const fault of field.querySelectorAll(".error")) fault.remove();
  for (const told of field.querySelectorAll("[aria-invalid]")) {
    told.removeAttribute("aria-invalid");
    const kept = (told.getAttribute("aria-describedby") ?? "").split(/\s+/).filter((id) => id && document.getElementById(id));
    if (kept.length) told.setAttribute("aria-describedby", kept.join(" "));
    else told.removeAttribute("aria-describedby");
  }
});
