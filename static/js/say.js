// clmSay(text): tells people who cannot see it what has just changed, in the page's live region.
window.clmSay = (text) => {
  const region = document.getElementById("said");
  if (!region) return;
  region.textContent = "";
  // The same words twice are told twice only if the region was empty in between.
  requestAnimationFrame(() => { region.textContent = text; });
};
