// Keys that work anywhere on a page; the list of them is in shared/_shortcuts.html.
const actions = {
  "ctrl+shift+o": () => (document.querySelector("[data-new-chat]")?.href ? location.assign("/") : null),
  "ctrl+shift+s": () => document.dispatchEvent(new CustomEvent("parley:toggle-sidebar")),
  "ctrl+/": () => document.getElementById("shortcuts")?.showModal(),
  "shift+escape": () => document.getElementById("body")?.focus(),
}

function nameOf(event) {
  const parts = [(event.ctrlKey || event.metaKey) && "ctrl", event.shiftKey && "shift", event.key.toLowerCase()]
  return parts.filter(Boolean).join("+")
}

document.addEventListener("keydown", (event) => {
  const action = actions[nameOf(event)]
  if (!action || document.querySelector("dialog[open]")) return
  event.preventDefault()
  action()
})
