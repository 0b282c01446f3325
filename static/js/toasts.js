// Toasts go by themselves, later when they can be acted upon, and not while somebody points at them.
const SECONDS = 6
const SECONDS_WITH_CHOICE = 15
const region = document.getElementById("toasts")

function leaveLater(toast) {
  const choice = toast.matches("[role='alert']") || toast.querySelector("form")
  setTimeout(
    () => (toast.matches(":hover, :focus-within") ? leaveLater(toast) : toast.remove()),
    (choice ? SECONDS_WITH_CHOICE : SECONDS) * 1000,
  )
}

region.querySelectorAll("[data-toast]").forEach(leaveLater)
new MutationObserver((changes) => {
  for (const change of changes)
    for (const node of change.addedNodes) if (node instanceof HTMLElement) leaveLater(node)
}).observe(region, { childList: true })

document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove())

// What went wrong is told until the same thing goes well.
let failed = null

function hear({ sourceElement, response }) {
  if (!response?.raw.ok) failed = sourceElement
  else if (sourceElement === failed) for (const told of region.querySelectorAll("[role='alert']")) told.remove()
}

document.addEventListener("htmx:after:request", (event) => hear(event.detail.ctx))

// The server did not answer at all; streams try again by themselves and need no word.
document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail
  if (!ctx || ctx.response || ctx.sourceElement?.hasAttribute("hx-sse:connect")) return
  hear(ctx)
  region.append(document.getElementById("offline-toast").content.cloneNode(true))
})
