// Runs before the first paint, so that the page never flashes in the other theme or changes its language.
(() => {
  const root = document.documentElement;
  const theme = localStorage.getItem("lb.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.lang = localStorage.getItem("lb.language") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
})();
