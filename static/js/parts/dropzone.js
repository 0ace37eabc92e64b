// A file field one may also drop a file on: says which file was chosen, and how big it is.
(() => {
  const size = (bytes) => new Intl.NumberFormat(document.documentElement.lang || undefined, { style: "unit", unit: bytes < 1e6 ? "kilobyte" : "megabyte", maximumFractionDigits: 1 }).format(bytes < 1e6 ? bytes / 1e3 : bytes / 1e6);
  function tell(zone) {
    const file = zone.querySelector("input[type=file]").files[0];
    const said = zone.querySelector("[data-chosen]");
    said.textContent = file ? `${file.name} (${size(file.size)})` : said.dataset.none;
    zone.classList.toggle("holds", Boolean(file));
    if (file) window.clmSay(said.textContent);
  }
  document.addEventListener("change", (event) => {
    const zone = event.target.closest?.(".dropzone");
    if (zone) tell(zone);
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.(".dropzone");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) {
      zone.querySelector("input[type=file]").files = event.dataTransfer.files;
      tell(zone);
    }
  });
})();
