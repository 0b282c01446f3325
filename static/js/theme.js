// The theme changes at once; the cookie tells the server for the next page.
const YEAR = 31_536_000

function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`
  for (const button of document.querySelectorAll("[data-theme-switch] button"))
    button.setAttribute("aria-pressed", String(button.value === theme))
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-switch]")) return
  event.preventDefault()
  apply(event.submitter.value)
})
